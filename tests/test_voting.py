"""Crops that answer together: the same as each crop shown by itself, added up by hand."""

import itertools
import re
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import toy_networks as toy
from PIL import Image
from scipy import stats
from torch import nn

from biaskit.errors import NetworkError, SweepError, TableError
from biaskit.sweeps.canvases import fill_canvas
from biaskit.sweeps.chunks import Chunk
from biaskit.sweeps.frame_tables import frames_table, seen_of, sweep_names
from biaskit.sweeps.images import find_images, open_photograph
from biaskit.sweeps.intervals import bootstrap_means, wilson
from biaskit.sweeps.preparing import chunk_digest
from biaskit.sweeps.protocols import make_plan, make_sequences
from biaskit.sweeps.protocols.resizing import fit_longer
from biaskit.sweeps.robust.crops import (
    canvas_plan,
    check_crops,
    crop_corners,
    crop_offsets,
    usual_jitter,
)
from biaskit.sweeps.robust.vote_tables import votes_table, voting
from biaskit.sweeps.robust.voting import VotingSetup, vote_chunks
from biaskit.sweeps.runner import sweep_chunks
from biaskit.tables import VOTES, VOTING

JITTER, CROPS = 3, (1, 2, 4, 8)


@pytest.fixture
def photographs(tmp_path):
    toy.photographs(tmp_path / "photos", 4)
    return tmp_path / "photos"


def plan(**options):
    return toy.plan("embed", **{"steps": 5, **options})


def setup(folder, planned, *, batch=8, jitter=JITTER, crops=CROPS):
    return VotingSetup(**vars(toy.setup(folder, planned, batch=batch)), jitter=jitter, crops=crops)


def voted(folder, module, planned=None, *, chunks=None, network=None, **options):
    chunks = chunks or [Chunk(0, tuple(find_images(folder)))]
    network = network or toy.network(module)
    asked = setup(folder, planned or plan(), **options)
    return list(vote_chunks(asked, iter(chunks), network=network))


def table_of(found, planned=None, classes=toy.CLASSES, seen=None):
    names = sweep_names("toy", "plain", planned or plan())
    return votes_table(names, found, classes, seen_of(seen))


def by_hand(folder, image, module, planned):
    "Every crop cut from the whole canvas and shown alone: logits, of shape (steps, 1 + 8, classes)"
    photograph = open_photograph((folder / image.file).read_bytes())
    small = fit_longer(photograph, planned.longer_side, planned.interpolation)
    size = toy.SIZE
    corner = size - small.shape[0] // 2, size - small.shape[1] // 2
    canvas = fill_canvas(small, (2 * size, 2 * size), corner, planned.fill, seed=0)
    n = planned.steps
    offsets = crop_offsets(planned.seed, image.image_id, steps=n, jitter=JITTER, n=CROPS[-1])
    logits = np.zeros((n, 1 + CROPS[-1], 10))
    for step, shift in enumerate(range(-((n - 1) // 2), n // 2 + 1)):
        dy, dx = {"vertical": (shift, 0), "horizontal": (0, shift), "diagonal": (shift, shift)}[
            planned.direction
        ]
        for number, (down, right) in enumerate([(0, 0), *offsets[step].tolist()]):
            top = corner[0] - (size - small.shape[0]) // 2 - dy + down
            left = corner[1] - (size - small.shape[1]) // 2 - dx + right
            window = canvas[top : top + size, left : left + size]
            pixels = torch.tensor(window, dtype=torch.float32).permute(2, 0, 1)[None]
            with torch.no_grad():
                logits[step, number] = module(pixels).double()[0].numpy()
    return logits


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("direction", ["vertical", "horizontal", "diagonal"])
@pytest.mark.parametrize("fill", ["harmonic", "mean"])
def test_every_number_agrees_with_crops_cut_and_added_up_by_hand(photographs, direction, fill):
    module, planned = toy.Strided(), plan(direction=direction, fill=fill)
    (found,) = voted(photographs, module, planned)
    table = table_of(found, planned)
    assert len(table) == 4 * 5 * 2 * 5
    several = 0
    for image in find_images(photographs):
        logits = by_hand(photographs, image, module, planned)
        true = toy.CLASSES.index(image.category)
        for step, of_frame in enumerate(logits):
            for k in (0, *CROPS):
                p = softmax(of_frame[:1] if k == 0 else of_frame[1 : 1 + k])
                mean, votes = p.mean(axis=0), np.bincount(p.argmax(axis=1), minlength=10)
                winners = np.flatnonzero(votes == votes.max())
                several += len(np.flatnonzero(votes)) > 1
                expected = {
                    "mean": int(mean.argmax()),
                    "vote": int(winners[mean[winners].argmax()]),
                }
                rank = 1 + int((mean > mean[true]).sum())
                for rule, answer in expected.items():
                    row = table[
                        (table["image_id"] == image.image_id)
                        & (table["step"] == step)
                        & (table["crops"] == k)
                        & (table["rule"] == rule)
                    ].iloc[0]
                    assert row["top1"] == toy.CLASSES[answer]
                    assert row["correct_top1"] == (answer == true)
                    # Sums of another order differ in the seventh digit.
                    assert row["p_true"] == pytest.approx(mean[true], abs=2e-6)
                    if rule == "mean":
                        assert row["in_top5"] == (rank <= 5)
                    else:
                        assert np.isnan(row["in_top5"])
    assert several > 10  # else the crops would never disagree, and the test say nothing


def test_without_crops_the_answers_are_those_of_the_sweep(photographs):
    planned = plan()
    (found,) = voted(photographs, toy.Strided())
    table = table_of(found)
    network = toy.network(toy.Strided())
    chunk = Chunk(0, tuple(find_images(photographs)))
    (swept,) = sweep_chunks(toy.setup(photographs, planned), iter([chunk]), network=network)
    frames = frames_table(sweep_names("toy", "plain", planned), swept, network.classes)
    for rule in ("mean", "vote"):
        plain = table[(table["crops"] == 0) & (table["rule"] == rule)]
        assert plain["image_id"].tolist() == frames["image_id"].tolist()
        assert plain["step"].tolist() == frames["step"].tolist()
        assert plain["top1"].tolist() == frames["top1"].tolist()
        assert np.allclose(plain["p_true"], frames["p_true"], atol=2e-6)
        assert ((plain["correct_top1"] == 1) == (frames["rank_true"] == 1).to_numpy()).all()
    assert found.digest == swept.digest == chunk_digest(photographs, chunk, planned)
    assert found.n_frames == 4 * 5 * (1 + 8)
    assert found.sizes == swept.sizes


def test_a_constant_network_votes_always_the_same(photographs):
    (found,) = voted(photographs, toy.Constant())
    table = table_of(found)
    assert set(table["top1"]) == {toy.CLASSES[0]}
    assert table.groupby("image_id", observed=True)["p_true"].nunique().eq(1).all()
    summary = voting(table, seed=1)
    assert len(summary) == 2 * 5
    assert (summary["p_top1_change"] == 0).all()
    # Of the four images two are of class 0.
    assert (summary["accuracy"] == 0.5).all()
    assert (summary.loc[summary["rule"] == "mean", "jagged"] == 0).all()
    assert summary.loc[summary["rule"] == "vote", "jagged"].isna().all()


def test_a_network_that_reads_the_crops_parity_is_outvoted_by_hand_count(tmp_path):
    "Its answer is class 0 where the crop's column is as even as the frame's, else class 1"
    Image.new("RGB", (63, 33), "white").save(tmp_path / "n00000000_1.png")
    planned = plan(fill="black", side=21)
    (found,) = voted(tmp_path, toy.Parity(), planned, jitter=5, crops=(1, 2, 3, 4, 9, 64))
    table = table_of(found, planned)
    offsets = crop_offsets(0, "n00000000_1", steps=5, jitter=5, n=64)
    first = (toy.SIZE - 21) // 2
    for (step, k, rule), rows in table.groupby(["step", "crops", "rule"], observed=True):
        left = first - (offsets[step, :k, 1] if k else np.zeros(1, int))
        even = np.count_nonzero(left % 2 == 0) / len(left)
        # Class 0 is e^1 or e^-1 to nine others of 1: with e = 0.5 its mean is .136, theirs .096.
        p = even * np.e / (np.e + 9) + (1 - even) / (1 + 9 * np.e)
        assert rows["p_true"].item() == pytest.approx(p, abs=1e-6)
        zero = even >= 0.5 if rule == "vote" else p > (1 - p) / 9
        assert rows["top1"].item() == toy.CLASSES[0 if zero else 1]
    shown = table[table["rule"] == "vote"].groupby("crops")["top1"].nunique()
    assert shown[1] == 2  # one crop's parity is that of a coin


@pytest.mark.parametrize("batch", [1, 7, 9, 64, 500])
def test_batches_of_any_size_give_the_same_answers(photographs, batch):
    "Of 180 frames, in groups of 9 that batches cut anywhere"
    (usual,) = voted(photographs, toy.Strided(), batch=8)
    (other,) = voted(photographs, toy.Strided(), batch=batch)
    assert np.array_equal(usual.voted.by_mean, other.voted.by_mean)
    assert np.array_equal(usual.voted.by_vote, other.voted.by_vote)
    assert np.array_equal(usual.voted.rank_true, other.voted.rank_true)
    assert np.allclose(usual.voted.p_true, other.voted.p_true, atol=2e-6)


def test_images_answer_alike_in_any_chunk_and_company(photographs):
    images = find_images(photographs)
    (whole,) = voted(photographs, toy.Strided())
    chunks = [Chunk(0, tuple(images[:1])), Chunk(1, ()), Chunk(2, tuple(images[1:]))]
    parts = voted(photographs, toy.Strided(), chunks=chunks)
    assert [part.number for part in parts] == [0, 1, 2]
    together = pd.concat([table_of(part).astype("str") for part in parts], ignore_index=True)
    assert together.equals(table_of(whole).astype("str"))
    assert table_of(parts[1]).empty


def test_fewer_crops_are_the_first_of_many(photographs):
    (many,) = voted(photographs, toy.Strided(), crops=(2, 5, 8))
    (few,) = voted(photographs, toy.Strided(), crops=(2, 5))
    assert np.array_equal(many.voted.by_mean[:, :3], few.voted.by_mean)
    assert np.allclose(many.voted.p_true[:, :3], few.voted.p_true, atol=2e-6)


def test_offsets_are_uniform_over_all_pixels_within_the_jitter():
    "Pearson's chi-square over the 49 offsets of a jitter of 3"
    offsets = crop_offsets(1, "a", steps=70, jitter=3, n=70)
    counts = np.zeros((7, 7))
    np.add.at(counts, (offsets[..., 0] + 3, offsets[..., 1] + 3), 1)
    # Under a fixed seed nothing is left to chance; of all seeds one in 10,000 would fail.
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_offsets_belong_to_seed_image_and_step():
    usual = {"steps": 3, "jitter": 16, "n": 64}
    own = crop_offsets(1, "a", **usual)
    for other in (crop_offsets(2, "a", **usual), crop_offsets(1, "b", **usual)):
        assert (own == other).mean() < 0.1  # 1 in 33 by chance, of 384
    assert (own[0] == own[1]).mean() < 0.15
    assert np.array_equal(crop_offsets(1, "a", steps=9, jitter=16, n=64)[:3], own)
    assert not crop_offsets(1, "a", steps=3, jitter=0, n=4).any()


def test_crops_hold_the_whole_image_where_there_is_room(photographs):
    "Black elsewhere: what a window holds of the image is its sum"
    photograph = np.full((60, 48, 3), 255, np.uint8)
    for jitter, steps, whole in ((3, 5, True), (4, 5, False), (15 - 2, 5, False)):
        planned = plan(fill="black", steps=steps)
        assert setup(photographs, planned, jitter=jitter).keeps_whole == whole
        (sequence,), _ = make_sequences(
            photograph, canvas_plan(planned, jitter), image_id="a", category="", boxes=None
        )
        corners = crop_corners(sequence, planned, "a", jitter=jitter, n=300)
        assert corners.shape == (5, 301, 2)
        canvas = sequence.canvases[0].astype(int)
        assert corners.min() >= 0
        assert (corners.max(axis=(0, 1)) + toy.SIZE <= canvas.shape[:2]).all()
        sums = [canvas[t : t + toy.SIZE, x : x + toy.SIZE].sum() for t, x in corners.reshape(-1, 2)]
        assert (min(sums) == canvas.sum()) == whole
        assert min(sums) > 0


def test_the_defaults_keep_the_whole_image_in_every_crop():
    for size in (224, 240, 299):
        planned = make_plan(
            "embed", input_size=size, resize=size, interpolation="bilinear", seed=0, steps=9
        )
        assert setup(".", planned, jitter=usual_jitter(size)).keeps_whole


@pytest.mark.parametrize(
    ("planned", "options", "message"),
    [
        (
            toy.plan("random"),
            {},
            "protocol random, any: crops are taken of embed, vertical, horizontal, diagonal, from "
            "one canvas.",
        ),
        (plan(direction="grid"), {}, "protocol embed, grid: crops are taken of embed, vertical, "),
        (plan(refill=True), {}, "protocol embed, vertical, refilled: crops are taken of embed, "),
        (
            plan(),
            {"jitter": 14},
            "--jitter 14: expected 0 to 13 px with 5 steps and an input of 32 px, so that the "
            "image's middle stays inside.",
        ),
        (plan(), {"jitter": -1}, "--jitter -1: expected 0 to 13 px with 5 steps"),
        (plan(), {"crops": ()}, "--crops : expected ascending numbers from 1, such as 1 2 4."),
        (plan(), {"crops": (0, 2)}, "--crops 0 2: expected ascending numbers from 1"),
        (plan(), {"crops": (2, 1)}, "--crops 2 1: expected ascending numbers from 1"),
        (plan(), {"crops": (2, 2)}, "--crops 2 2: expected ascending numbers from 1"),
    ],
)
def test_what_crops_cannot_be_taken_of_is_refused(tmp_path, planned, options, message):
    with pytest.raises(SweepError, match=f"^{re.escape(message)}"):
        check_crops(planned, **{"jitter": 1, "crops": CROPS, **options})
    asked = setup(tmp_path, planned, **options)
    with pytest.raises(SweepError, match=f"^{re.escape(message)}"):
        next(vote_chunks(asked, iter([]), network=toy.network(toy.Constant())))


def test_what_cannot_be_read_is_listed_and_the_rest_goes_on(photographs):
    (photographs / "n00000001_9.jpg").write_bytes(b"no picture")
    told = []
    images = tuple(find_images(photographs))
    asked = setup(photographs, plan())
    (found,) = vote_chunks(
        asked,
        iter([Chunk(0, images)]),
        network=toy.network(toy.Strided()),
        advance=lambda *counts: told.append(counts),
    )
    assert [(image.image_id, reason) for image, reason in found.refused] == [
        ("n00000001_9", "no picture that can be read")
    ]
    assert found.sizes["n00000001_9"] == (0, 0)
    assert len(found.shown) == 4
    assert table_of(found)["image_id"].nunique() == 4
    assert sum(n for n, _ in told) == 5
    assert sum(n for _, n in told) == found.n_frames


def test_images_without_a_class_the_network_knows_have_no_truth(tmp_path):
    toy.photographs(tmp_path, 2)
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "n99999999_1.png")
    table = table_of(voted(tmp_path, toy.Strided())[0])
    unknown = table["image_id"].isin(["a", "n99999999_1"])
    for name in ("correct_top1", "in_top5", "p_true"):
        assert table.loc[unknown, name].isna().all()
    assert table.loc[~unknown, "p_true"].notna().all()
    assert table.loc[unknown, "top1"].isin(toy.CLASSES).all()
    summary = voting(table, seed=1)
    assert (summary["n_images"] == 4).all()
    assert (summary["n_labelled"] == 2).all()


def test_with_few_classes_the_first_five_mean_nothing(photographs):
    module, options = toy.few()
    network = toy.network(module, classes=options["classes"])
    (found,) = voted(photographs, module, network=network)
    table = table_of(found, classes=network.classes)
    assert table["in_top5"].isna().all()
    assert table["correct_top1"].notna().all()
    assert voting(table, seed=1)["jagged"].isna().all()


def test_a_batch_that_does_not_fit_is_halved_and_that_is_recorded(photographs):
    images = tuple(find_images(photographs))
    chunks = [Chunk(0, images[:2]), Chunk(1, images[2:])]
    greedy = voted(photographs, toy.Greedy(), batch=16, chunks=chunks)
    calm = voted(photographs, toy.Strided(), batch=4, chunks=chunks)
    assert [found.batch for found in greedy] == [4, 4]
    for one, other in zip(greedy, calm, strict=True):
        assert table_of(one).equals(table_of(other))


def test_nothing_holds_on_to_a_batch_that_did_not_fit(photographs):
    "Else there would be no room for the smaller one"
    kept = []

    class Hungry(toy.Strided):
        def forward(self, x):
            assert not [size for size, one in kept if size > len(x) and one() is not None]
            kept.append((len(x), weakref.ref(x)))
            if len(x) > 6:
                raise torch.OutOfMemoryError("no room")
            return super().forward(x)

    assert voted(photographs, Hungry(), batch=16)[0].batch == 4


class Answering(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(len(x))


def raising(error):
    def answer(_):
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (lambda n: torch.zeros(n, 9), NetworkError, "shape (8, 9), expected (8, 10)."),
        (lambda n: torch.full((n, 10), torch.nan), NetworkError, "that are not finite."),
        (raising(torch.OutOfMemoryError("")), SweepError, "cpu: not even one frame at a time"),
        (raising(RuntimeError("cannot be multiplied")), RuntimeError, "cannot be multiplied"),
    ],
)
def test_answers_that_are_none_are_refused(photographs, answer, error, words):
    with pytest.raises(error, match=re.escape(words)):
        voted(photographs, Answering(answer))


def test_ties_of_probabilities_go_to_the_first_class(photographs):
    module = Answering(lambda n: torch.zeros(n, 10))
    (found,) = voted(photographs, module)
    assert (found.voted.by_mean == 0).all()
    assert (found.voted.by_vote == 0).all()
    true = [toy.CLASSES.index(image.category) for image in found.shown]
    assert np.array_equal(found.voted.rank_true[::5, 3], np.array(true) + 1)


def test_the_table_is_what_its_schema_says(photographs):
    (found,) = voted(photographs, toy.Strided())
    table = table_of(found, seen="held out")
    assert list(table.columns) == list(VOTES.columns)
    assert set(table["seen"]) == {"held out"}
    assert set(table["jitter"]) == {JITTER}
    assert table["direction"].unique().tolist() == ["vertical"]
    assert table["fill"].unique().tolist() == ["harmonic"]


@pytest.fixture(scope="module")
def random():
    "Votes of 20 images in two networks, drawn; every fifth image is of no known class"
    rng = np.random.default_rng(20180530)
    rows = []
    for network in ("a", "b"):
        for number in range(20):
            known = number % 5 != 0
            for rule in ("vote", "mean"):
                for crops in (0, 4):
                    for step in range(int(rng.integers(2, 6))):
                        top1 = ("cat", "dog")[int(rng.integers(2))]
                        top5 = rng.uniform() < 0.8 if known and rule == "mean" else np.nan
                        rows.append(
                            {
                                "network": network,
                                "variant": "plain",
                                "direction": "vertical",
                                "fill": "mean",
                                "jitter": 3,
                                "image_id": f"i{number}",
                                "category": "cat" if known else "",
                                "seen": ("held out", "unknown")[network == "b"],
                                "step": step,
                                "rule": rule,
                                "crops": crops,
                                "top1": top1,
                                "correct_top1": float(top1 == "cat") if known else np.nan,
                                "in_top5": float(top5),
                                "p_true": 0.5 if known else np.nan,
                            }
                        )
    return VOTES.check(pd.DataFrame(rows), "random").sample(frac=1, random_state=1)


def test_the_summary_agrees_with_a_slow_way(random):
    summary = voting(random, seed=3, n_resamples=200)
    assert len(summary) == 2 * 2 * 2
    for _, row in summary.iterrows():
        right, changes, jagged, pairs = [], [], [], []
        own = random[random["network"] == row["network"]]
        own = own[(own["rule"] == row["rule"]) & (own["crops"] == row["crops"])]
        for _, image in sorted(own.groupby("image_id")):
            image = image.sort_values("step")
            tops, within = image["top1"].tolist(), image["in_top5"].tolist()
            pairs.append(len(tops) - 1)
            changes.append(np.mean([a != b for a, b in itertools.pairwise(tops)]))
            right.append(image["correct_top1"].mean())
            if row["rule"] == "mean" and not np.isnan(within[0]):
                jagged.append(any(a != b for a, b in itertools.pairwise(within)))
        assert (row["n_images"], row["n_labelled"]) == (20, 16)
        assert row["n_steps"] == pytest.approx(np.mean(pairs))
        assert row["accuracy"] == pytest.approx(np.nanmean(right))
        assert row["p_top1_change"] == pytest.approx(np.mean(changes))
        assert row["frames_per_answer"] == max(1, row["crops"])
        assert row["seen"] == ("held out" if row["network"] == "a" else "unknown")
        drawn = bootstrap_means(np.array(changes), np.zeros(20, int), 1, seed=3, n_resamples=200)
        ends = row[["p_top1_change_low", "p_top1_change_high"]].tolist()
        assert ends == pytest.approx([drawn.low[0], drawn.high[0]])
        if row["rule"] == "mean":
            assert row["jagged"] == pytest.approx(np.mean(jagged))
            share = wilson(np.array([sum(jagged)]), np.array([16]))
            assert row[["jagged_low", "jagged_high"]].tolist() == [share.low[0], share.high[0]]
        else:
            assert row[["jagged", "jagged_low", "jagged_high"]].isna().all()


def test_tables_without_rows_stay_so_and_a_missing_column_is_named(random):
    assert voting(VOTES.empty(), seed=1).empty
    assert list(voting(VOTES.empty(), seed=1).columns) == list(VOTING.columns)
    with pytest.raises(TableError, match=r"^votes: column 'top1' is missing\. A table 'votes' has"):
        voting(random.drop(columns="top1"), seed=1)


@pytest.mark.skipif(
    not (Path(__file__).resolve().parents[1] / "../shared/data/photos").is_dir(),
    reason="needs the photographs of ../shared/data",
)
def test_of_real_photographs_crops_together_are_less_jagged_than_one(tmp_path):
    "A network of random weights with strides: what is averaged over crops moves less"
    photos = Path(__file__).resolve().parents[1] / "../shared/data/photos"
    for path in sorted(photos.glob("*.JPEG"))[:12]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    planned = plan(steps=9)
    (found,) = voted(tmp_path, toy.Strided(), planned, crops=(1, 64), batch=64)
    summary = voting(table_of(found, planned), seed=1).set_index(["rule", "crops"])
    changes = summary["p_top1_change"]
    # A single crop is drawn anew at each step; 64 are nearly their own average.
    for rule in ("vote", "mean"):
        assert changes[rule, 64] < changes[rule, 1]
