"""
Networks by name, each with its own preprocessing, classes and weights.

``find_network`` looks a name up, ``NetworkRequest.load`` makes it a ``Network``.
"""

from biaskit.sweeps.networks.cards import card_text, keep_card, network_card
from biaskit.sweeps.networks.listing import Listed, listed_networks
from biaskit.sweeps.networks.names import network_names
from biaskit.sweeps.networks.network import Network, Weights
from biaskit.sweeps.networks.preprocessing import Preprocessing
from biaskit.sweeps.networks.requests import NetworkRequest, find_network

__all__ = [
    "Listed",
    "Network",
    "NetworkRequest",
    "Preprocessing",
    "Weights",
    "card_text",
    "find_network",
    "keep_card",
    "listed_networks",
    "network_card",
    "network_names",
]
