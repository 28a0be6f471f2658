"""The stage of the tests: each table made once."""

from contextlib import contextmanager

import pandas as pd
import pytest

from biaskit.bias.effects import effects
from biaskit.bias.measures import measure
from biaskit.bias.planted import planted
from biaskit.bias.significance import significance
from biaskit.bias.stage import make_tables
from biaskit.bias.symmetry import symmetry
from biaskit.errors import StudyError
from biaskit.provenance import provenance
from biaskit.study import Study


def study_of(folder):
    study = Study(folder)
    boxes = planted("free", n_images=30, n_categories=3, seed=1)
    with study.writing("test"):
        study.write("boxes", boxes, provenance(inputs=[], options={}, seed=None))
    return study


def test_what_is_there_is_left_alone_and_a_run_cut_short_goes_on(tmp_path):
    study = study_of(tmp_path / "s")
    made = []

    @contextmanager
    def shown(table):
        if table == "effects" and "effects" not in made:
            made.append("effects")
            raise KeyboardInterrupt
        made.append(table)
        yield lambda *_: None

    options = {"seed": 3, "draws": 2, "resamples": 100, "shown": shown}
    with study.writing("test"), pytest.raises(KeyboardInterrupt):
        make_tables(study, **options)
    assert made == ["measures", "significance", "effects"]
    with study.writing("test"):
        make_tables(study, **options)
    assert made[3:] == ["effects", "symmetry"]
    with pytest.raises(StudyError, match="'significance' was made otherwise: --draws was 2, now 3"):
        make_tables(study, **{**options, "draws": 3})


def test_the_tables_are_those_of_their_functions(tmp_path):
    "The objects that they share are those each would have arranged for itself"
    study = study_of(tmp_path / "s")

    @contextmanager
    def shown(_):
        yield lambda *_: None

    options = {"seed": 3, "edge_px": 4}
    with study.writing("test"):
        make_tables(study, **options, draws=2, resamples=50, shown=shown)
    boxes = study.read("boxes")
    for name, made in (
        ("measures", measure(boxes, edge_px=4)),
        ("significance", significance(boxes, **options, draws=2)),
        ("effects", effects(boxes, **options, n_resamples=50)),
        ("symmetry", symmetry(boxes, **options)),
    ):
        # Parquet keeps the words, not how they are held.
        pd.testing.assert_frame_equal(
            study.read(name), made, check_dtype=False, check_categorical=False
        )
