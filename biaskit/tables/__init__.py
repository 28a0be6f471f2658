"""
The schema of every table: what one row is, and each column's meaning, unit and limits.

This is the only place where a column name is invented. A function that makes a table ends
with ``SCHEMA.check(table, where)``, which puts the columns in order and refuses what breaks
a limit; tables then travel as Parquet with exactly the types named here.
"""

from collections.abc import Mapping

from biaskit.schema import Column, Schema
from biaskit.tables.agreement import AGREEMENT, MARK_PAIRS
from biaskit.tables.bias import (
    BOXES,
    CALIBRATION,
    DRIFT,
    EFFECTS,
    MEASURES,
    REPAIRS,
    SIGNIFICANCE,
    SYMMETRY,
)
from biaskit.tables.inside import (
    ANTIALIASING,
    FEATURE_MAPS,
    LAYERS,
    SAMPLING,
    SHIFTABILITY,
    SHIFTABILITY_BY,
)
from biaskit.tables.keypoints import KEYPOINT_REPAIRS, KEYPOINTS
from biaskit.tables.robust import ROBUSTNESS, ROBUSTNESS_BY, VOTES, VOTING
from biaskit.tables.sweeps import (
    FRAMES,
    JAGGEDNESS,
    JAGGEDNESS_BY,
    NETWORK_PAIRS,
    NETWORKS,
    SWEPT,
)

__all__ = [
    "AGREEMENT",
    "ANTIALIASING",
    "BOXES",
    "CALIBRATION",
    "DRIFT",
    "EFFECTS",
    "FEATURE_MAPS",
    "FRAMES",
    "JAGGEDNESS",
    "JAGGEDNESS_BY",
    "KEYPOINTS",
    "KEYPOINT_REPAIRS",
    "LAYERS",
    "MARK_PAIRS",
    "MEASURES",
    "NETWORKS",
    "NETWORK_PAIRS",
    "REPAIRS",
    "ROBUSTNESS",
    "ROBUSTNESS_BY",
    "SAMPLING",
    "SCHEMAS",
    "SHIFTABILITY",
    "SHIFTABILITY_BY",
    "SIGNIFICANCE",
    "SWEPT",
    "SYMMETRY",
    "VOTES",
    "VOTING",
    "Column",
    "Schema",
]

SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        BOXES,
        REPAIRS,
        KEYPOINTS,
        KEYPOINT_REPAIRS,
        MARK_PAIRS,
        AGREEMENT,
        MEASURES,
        SIGNIFICANCE,
        EFFECTS,
        SYMMETRY,
        DRIFT,
        CALIBRATION,
        NETWORKS,
        SWEPT,
        FRAMES,
        JAGGEDNESS,
        JAGGEDNESS_BY,
        NETWORK_PAIRS,
        LAYERS,
        SHIFTABILITY,
        SHIFTABILITY_BY,
        FEATURE_MAPS,
        ANTIALIASING,
        SAMPLING,
        ROBUSTNESS,
        ROBUSTNESS_BY,
        VOTES,
        VOTING,
    )
}
