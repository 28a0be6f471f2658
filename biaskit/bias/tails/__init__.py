"""
P-values to any depth: the tail of each statistic of placement, as log10 p with its kind.

One file per statistic; `Tail` says what comes back. Laws, corrected forms and proven bounds
are functions of their own, because a correct law can be a wrong p-value of its test.
"""

from biaskit.bias.tails.anderson_darling import (
    ad_tail,
    log10_ad_bound,
    log10_ad_corrected,
    log10_ad_limit,
)
from biaskit.bias.tails.binomial import log10_binomial_tail, log_binomial_pmf
from biaskit.bias.tails.chi_square import log10_chi2_sf
from biaskit.bias.tails.cramer_von_mises import cvm_tail, log10_cvm_bound, log10_cvm_corrected
from biaskit.bias.tails.cramer_von_mises_law import log10_cvm_limit
from biaskit.bias.tails.kolmogorov import ks_tail, log10_ks_one_sided, log10_ks_two_sided
from biaskit.bias.tails.kuiper import kuiper_tail, log10_kuiper
from biaskit.bias.tails.pearson import pearson_tail
from biaskit.bias.tails.pearson_bound import (
    log10_agrawal_bound,
    log10_heavy_cell_bound,
    log10_pearson_bound,
)
from biaskit.bias.tails.smooth import legendre_scores, smooth_tail
from biaskit.bias.tails.smooth_bound import log10_smooth_bound
from biaskit.bias.tails.tail import Tail

__all__ = [
    "Tail",
    "ad_tail",
    "cvm_tail",
    "ks_tail",
    "kuiper_tail",
    "legendre_scores",
    "log10_ad_bound",
    "log10_ad_corrected",
    "log10_ad_limit",
    "log10_agrawal_bound",
    "log10_binomial_tail",
    "log10_chi2_sf",
    "log10_cvm_bound",
    "log10_cvm_corrected",
    "log10_cvm_limit",
    "log10_heavy_cell_bound",
    "log10_ks_one_sided",
    "log10_ks_two_sided",
    "log10_kuiper",
    "log10_pearson_bound",
    "log10_smooth_bound",
    "log_binomial_pmf",
    "pearson_tail",
    "smooth_tail",
]
