"""The protocol places: every scale at places that are equally probable, and the image's alone."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_networks as toy
from PIL import Image
from scipy import stats

from biaskit.errors import SweepError
from biaskit.study import Study
from biaskit.sweeps.canvases import fill_canvas
from biaskit.sweeps.chunks import Chunk, cut_chunks
from biaskit.sweeps.frame_tables import frames_table, sweep_names
from biaskit.sweeps.images import find_images
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.protocols import DEFAULTS, make_plan, make_sequences
from biaskit.sweeps.runner import sweep_chunks
from biaskit.sweeps.stage import SweepRun, run_sweep
from biaskit.sweeps.summing import merge

SIZE = 64


@pytest.fixture
def photograph():
    rng = np.random.default_rng(20180530)
    return rng.integers(1, 256, (90, 120, 3)).astype(np.uint8)


def plan(size=SIZE, **options):
    usual = {"input_size": size, "resize": size + 9, "interpolation": "bilinear", "seed": 4}
    return make_plan("places", **{**usual, **options})


def sequences(photograph, *, image_id="a", **options):
    found, refused = make_sequences(
        photograph, plan(**options), image_id=image_id, category="", boxes=None
    )
    assert not refused
    return found


def frames(sequence, size=SIZE):
    places = zip(sequence.canvas, sequence.top, sequence.left, strict=True)
    return [sequence.canvases[c, t : t + size, x : x + size] for c, t, x in places]


def resized(photograph, side):
    zoom = side / max(photograph.shape[:2])
    size = round(zoom * photograph.shape[1]), round(zoom * photograph.shape[0])
    return np.asarray(Image.fromarray(photograph).resize(size, Image.Resampling.BILINEAR))


@pytest.mark.parametrize("fill", ["black", "harmonic", "reflect"])
@pytest.mark.parametrize("refill", [False, True])
def test_every_frame_shows_the_whole_image_where_dx_and_dy_say(photograph, fill, refill):
    "An independent way: the resized image stands at its place, pixel by pixel"
    found = sequences(photograph, fill=fill, refill=refill)
    assert [sequence.pass_number for sequence in found] == [0, 1, 2, 3, 4]
    for sequence, side in zip(found, (64, 48, 32, 24, 16), strict=True):
        image = resized(photograph, side)
        height, width = image.shape[:2]
        assert sequence.n_frames == 8
        assert (sequence.scale == side / SIZE).all()
        for frame, dy, dx in zip(frames(sequence), sequence.dy, sequence.dx, strict=True):
            top, left = (SIZE - height) // 2 + int(dy), (SIZE - width) // 2 + int(dx)
            assert frame.shape == (SIZE, SIZE, 3)
            assert min(top, left, SIZE - height - top, SIZE - width - left) >= 0
            assert np.array_equal(frame[top : top + height, left : left + width], image)
            if fill == "black":
                assert frame.astype(int).sum() == image.astype(int).sum()


def test_the_canvas_is_made_once_per_scale_and_the_windows_slide(photograph):
    (sequence,) = sequences(photograph, scales=(0.5,), steps=30)
    assert len(sequence.canvases) == 1
    image = resized(photograph, 32)
    height, width = image.shape[:2]
    corner = SIZE - height // 2, SIZE - width // 2
    whole = fill_canvas(image, (2 * SIZE, 2 * SIZE), corner, "harmonic", seed=0)
    for frame, dy, dx in zip(frames(sequence), sequence.dy, sequence.dx, strict=True):
        top = corner[0] - ((SIZE - height) // 2 + int(dy))
        left = corner[1] - ((SIZE - width) // 2 + int(dx))
        assert np.array_equal(frame, whole[top : top + SIZE, left : left + SIZE])


@pytest.mark.parametrize(("shape", "n"), [((40, 40), (17, 17)), ((30, 40), (21, 17))])
def test_all_places_where_the_image_lies_inside_are_equally_probable(shape, n):
    "Pearson's chi-square over every pair of row and column"
    photograph = np.full((*shape, 3), 9, np.uint8)
    draws = 40 * n[0] * n[1]
    (sequence,) = sequences(photograph, size=32, scales=(0.5,), steps=draws, fill="black")
    rows, columns = (values - values.min() for values in (sequence.dy, sequence.dx))
    assert (rows.max() + 1, columns.max() + 1) == n
    counts = np.bincount((rows * n[1] + columns).astype(int), minlength=n[0] * n[1])
    # Under a fixed seed nothing is left to chance; of all seeds one in 10,000 would fail.
    assert stats.chisquare(counts).pvalue > 1e-4


def test_the_places_of_an_image_are_the_same_whatever_else_is_asked_for(photograph):
    together = sequences(photograph)
    for number, scale in enumerate((1, 0.75, 0.5, 0.375, 0.25)):
        (alone,) = sequences(photograph, scales=(scale,))
        (more,) = sequences(photograph, scales=(scale,), steps=20)
        for name in ("dx", "dy"):
            expected = getattr(together[number], name)
            assert np.array_equal(getattr(alone, name), expected)
            assert np.array_equal(getattr(more, name)[:8], expected)
        shown = zip(frames(alone), frames(more)[:8], strict=True)
        assert all(np.array_equal(one, other) for one, other in shown)
    turned = sequences(photograph, scales=(0.25, 1.0))
    assert [float(sequence.scale[0]) for sequence in turned] == [1, 0.25]
    assert np.array_equal(turned[1].dx, together[4].dx)


def test_places_belong_to_image_seed_and_scale(photograph):
    (own,) = sequences(photograph, scales=(0.25,), steps=40)
    (of_another,) = sequences(photograph, scales=(0.25,), steps=40, image_id="b")
    (drawn_again,) = sequences(photograph, scales=(0.25,), steps=40, seed=5)
    (larger,) = sequences(photograph, scales=(0.375,), steps=40)
    others = [own.dy, of_another.dx, drawn_again.dx, larger.dx]
    for other in others:
        # Four standard errors of a correlation of 40 independent pairs.
        assert abs(np.corrcoef(own.dx, other)[0, 1]) < 4 / np.sqrt(40)


def test_networks_with_other_inputs_are_shown_the_same_places(photograph):
    "As shares of the room there is, to the pixel"
    small, large = (sequences(photograph, size=size, steps=20) for size in (224, 299))
    for one, other in zip(small[1:], large[1:], strict=True):
        assert np.abs(one.dx / 224 - other.dx / 299).max() < 2 / 224
        assert np.abs(one.dy / 224 - other.dy / 299).max() < 2 / 224
        assert len(set(one.dx)) > 10


def test_at_scale_1_there_is_room_along_the_shorter_side_only(photograph):
    (wide,) = sequences(photograph, scales=(1,), steps=50)
    assert not wide.dx.any()
    assert len(set(wide.dy)) > 10
    (square,) = sequences(photograph[:90, :90], scales=(1,), steps=4)
    assert not square.dx.any()
    assert not square.dy.any()
    assert all(np.array_equal(frame, frames(square)[0]) for frame in frames(square))


def test_a_strip_of_one_pixel_is_shown_whole_too():
    strip = np.full((1, 45, 3), 255, np.uint8)
    (sequence,) = sequences(strip, scales=(0.25,), steps=60, fill="black")
    assert all((frame == 255).all(axis=2).sum() == 16 for frame in frames(sequence))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"scales": (0.5, 1.25)},
            "--scales 1.25: the image would be 80 px long in an input of 64 px, expected 8 to 64.",
        ),
        (
            {"scales": (0.1,)},
            "--scales 0.1: the image would be 6.4 px long in an input of 64 px, expected 8 to 64.",
        ),
        (
            {"scales": (float("nan"),)},
            "--scales nan: the image would be nan px long in an input of 64 px, expected 8 to 64.",
        ),
        ({"scales": ()}, "--scales: protocol places needs at least one, such as 1/2."),
        (
            {"scales": (0.5, 0.501)},
            "--scales 0.501 0.5: come to [32, 32] px of an input of 64 px. Give each once.",
        ),
        ({"side": 40}, "--side 40: protocol places takes --scales."),
        ({"steps": 1}, "--steps 1: a sweep has at least 2."),
        ({"direction": "vertical"}, "--direction vertical: protocol places takes any."),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(SweepError, match=f"^{re.escape(message)}$"):
        plan(**options)


@pytest.mark.parametrize("protocol", [name for name in DEFAULTS if name != "places"])
def test_other_protocols_know_no_scales(protocol):
    usual = {"input_size": 224, "resize": 256, "interpolation": "bilinear", "seed": 0}
    assert make_plan(protocol, **usual).scales == ()
    with pytest.raises(SweepError, match=f"^--scales: protocol {protocol} shows the image at one"):
        make_plan(protocol, **usual, scales=(0.5,))


def test_the_order_of_the_scales_makes_no_difference():
    assert plan(scales=(0.25, 1)) == plan(scales=(1, 0.25))


def test_chunks_are_as_long_as_the_frames_of_all_scales_make_them(tmp_path):
    images = toy.photographs(tmp_path / "photos", 40)
    chunks = cut_chunks(images, plan(scales=(1, 0.5), steps=5), 10, {})
    # 16 batches of 10 frames, and 10 frames an image.
    assert [len(chunk.images) for chunk in chunks] == [16, 16, 8]
    crops = cut_chunks(images, plan(scales=(1, 0.5), steps=5), 10, {}, times=4)
    assert [len(chunk.images) for chunk in crops] == [4] * 10


def swept(folder, images, planned, module, batch=8):
    network = toy.network(module)
    setup = toy.setup(folder, planned, batch=batch)
    (found,) = sweep_chunks(setup, iter([Chunk(0, tuple(images))]), network=network)
    return frames_table(sweep_names("toy", "plain", planned), found, network.classes)


def test_the_frames_of_an_image_are_the_same_in_any_company_and_batch(tmp_path):
    images = toy.photographs(tmp_path / "photos", 4)
    planned = toy.plan("places", side=None, steps=3)
    whole = swept(tmp_path / "photos", images, planned, toy.Strided())
    assert len(whole) == 4 * 5 * 3
    assert whole.groupby("pass")["scale"].unique().str[0].tolist() == [1, 0.75, 0.5, 0.375, 0.25]
    for image in images:
        alone = swept(tmp_path / "photos", [image], planned, toy.Strided(), batch=5)
        of_it = whole[whole["image_id"] == image.image_id].reset_index(drop=True)
        for name in ("pass", "step", "dx", "dy", "top1"):
            assert alone[name].astype(str).tolist() == of_it[name].astype(str).tolist()


class Silent:
    def __enter__(self):
        return lambda *_: None

    def __exit__(self, *_):
        return None


def test_shards_of_the_sweep_merge_to_what_one_run_writes(tmp_path, monkeypatch):
    "The stage knows nothing of the protocol: it writes, goes on and merges as for all others"
    monkeypatch.chdir(Path(__file__).parent)
    images = toy.photographs(tmp_path / "photos", 9)
    request = find_network("toy_networks:strided", allow_code=True)
    planned = toy.plan("places", side=None, steps=4)
    setup = replace(toy.setup(tmp_path / "photos", planned, batch=3), request=request)
    chunks = cut_chunks(find_images(tmp_path / "photos"), planned, 3, {})
    assert len(chunks) == 3

    def run(name, shard):
        study = Study(tmp_path / name)
        work = SweepRun(setup, request.load(), images, chunks, None, None, ["cpu"], shard)
        with study.writing("sweep"):
            return study, run_sweep(study, work, mode="continue", shown=lambda _: Silent())

    whole, n = run("whole", (1, 1))
    assert n == 3
    assert run("whole", (1, 1))[1] == 0
    shards = [run(f"shard{k}", (k, 2))[0] for k in (1, 2)]
    merged = Study(tmp_path / "merged")
    with merged.writing("merge"):
        merge(merged, shards)
    for table in ("frames", "jaggedness", "swept"):
        assert merged.read(table).equals(whole.read(table))
    assert len(whole.read("frames")) == 9 * 5 * 4
