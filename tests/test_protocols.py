"""Every frame is what its row says: the image, shifted by whole pixels, and nothing else."""

import io
import itertools
import re

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from biaskit.errors import SweepError
from biaskit.sweeps.protocols import boxes_by_image, film_pieces, make_plan, make_sequences
from biaskit.sweeps.protocols.boxes import ImageBoxes, on_photograph
from biaskit.sweeps.protocols.film import show_film
from biaskit.tables import BOXES

SIZE = 64


@pytest.fixture
def photograph():
    rng = np.random.default_rng(20180530)
    return rng.integers(1, 256, (90, 120, 3)).astype(np.uint8)


def plan(protocol, **options):
    usual = {"input_size": SIZE, "resize": 73, "interpolation": "bilinear", "seed": 4}
    return make_plan(protocol, **{**usual, **options})


def sequences(photograph, protocol, *, boxes=None, **options):
    found, refused = make_sequences(
        photograph, plan(protocol, **options), image_id="a", category="", boxes=boxes
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


@pytest.mark.parametrize("direction", ["vertical", "horizontal", "diagonal", "grid"])
@pytest.mark.parametrize("fill", ["black", "harmonic", "telea"])
def test_embed_shows_the_image_whole_where_dx_and_dy_say(photograph, direction, fill):
    "An independent way: paste the resized image at its place, and look whether it is there"
    image = resized(photograph, 46)
    middle = (SIZE - image.shape[0]) // 2, (SIZE - image.shape[1]) // 2
    found = sequences(photograph, "embed", direction=direction, fill=fill, steps=5)
    assert len(found) == (5 if direction == "grid" else 1)
    for sequence in found:
        for frame, dy, dx in zip(frames(sequence), sequence.dy, sequence.dx, strict=True):
            top, left = middle[0] + int(dy), middle[1] + int(dx)
            inside = frame[top : top + image.shape[0], left : left + image.shape[1]]
            assert frame.shape == (SIZE, SIZE, 3)
            assert np.array_equal(inside, image)
            if fill == "black":
                assert frame.astype(int).sum() == image.astype(int).sum()
    shifts = {(int(y), int(x)) for s in found for y, x in zip(s.dy, s.dx, strict=True)}
    along = range(-2, 3)
    expected = {
        "vertical": {(k, 0) for k in along},
        "horizontal": {(0, k) for k in along},
        "diagonal": {(k, k) for k in along},
        "grid": {(k, j) for k in along for j in along},
    }
    assert shifts == expected[direction]


def test_between_steps_nothing_but_the_place_changes(photograph):
    "Each frame is the one before, one pixel further"
    (sequence,) = sequences(photograph, "embed", steps=9)
    shown = frames(sequence)
    for before, after in itertools.pairwise(shown):
        assert np.array_equal(after[1:], before[:-1])


@pytest.mark.parametrize("fill", ["mean", "telea", "harmonic"])
def test_a_refilled_frame_has_the_same_image_and_its_own_background(photograph, fill):
    (once,) = sequences(photograph, "embed", steps=5, fill=fill)
    (anew,) = sequences(photograph, "embed", steps=5, fill=fill, refill=True)
    image, middle = resized(photograph, 46), (SIZE - 34) // 2
    for frame, other, dy in zip(frames(anew), frames(once), once.dy, strict=True):
        top, left = middle + int(dy), (SIZE - 46) // 2
        assert np.array_equal(frame[top : top + image.shape[0], left : left + 46], image)
        difference = abs(frame.astype(int) - other.astype(int)).mean()
        # Only a fill that knows where the frame ends can differ.
        assert difference == 0 if fill == "mean" else difference < 12


def test_random_places_are_all_within_the_frame_and_reach_its_sides(photograph):
    (sequence,) = sequences(photograph, "random", steps=400, fill="black")
    image = resized(photograph, 46)
    for frame in frames(sequence):
        assert frame.astype(int).sum() == image.astype(int).sum()
    room = np.array([SIZE - 34, SIZE - 46])
    for shifts, n in ((sequence.dy, room[0]), (sequence.dx, room[1])):
        # Of 400 places each of n + 1 is taken about 400 / (n + 1) times; none is left out.
        assert len(set(shifts)) == n + 1


def test_the_blank_image_has_one_colour_and_the_repeated_one_does_not_move(photograph):
    (blank,) = sequences(photograph, "blank", fill="mean", steps=3)
    assert len(np.unique(blank.canvases.reshape(-1, 3), axis=0)) == 1
    (repeat,) = sequences(photograph, "repeat", steps=3)
    first = frames(repeat)[0]
    assert all(np.array_equal(first, frame) for frame in frames(repeat))


def test_scale_makes_the_image_one_pixel_longer_at_each_step(photograph):
    (sequence,) = sequences(photograph, "scale", steps=5, fill="black", side=30)
    assert np.allclose(sequence.scale * SIZE, [28, 29, 30, 31, 32])
    for frame, side in zip(frames(sequence), range(28, 33), strict=True):
        lit = np.flatnonzero((frame > 0).any(axis=(0, 2)))
        assert lit[-1] - lit[0] + 1 == side


def boxes_of(*boxes, size=(120, 90), categories=None):
    fractions = np.array(boxes, float) / np.array([*size, *size])
    names = categories or ("",) * len(boxes)
    return ImageBoxes(np.arange(len(boxes)), tuple(names), fractions, *size)


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "diagonal"])
def test_crops_are_windows_of_the_original_that_keep_the_box_inside(photograph, direction):
    box = (40, 20, 80, 60)
    (sequence,) = sequences(photograph, "crop", boxes=boxes_of(box), direction=direction, steps=100)
    # x may begin from max(0, 80 - 64) to min(40, 120 - 64), y from 0 to min(20, 26).
    ranges = {"horizontal": 25, "vertical": 21, "diagonal": 21}
    assert sequence.room == sequence.n_frames == ranges[direction]
    moved = np.diff([sequence.dy, sequence.dx], axis=1)
    along = {"horizontal": [0, 1], "vertical": [1, 0], "diagonal": [1, 1]}[direction]
    assert (moved == np.array(along)[:, None]).all()
    found = []
    for frame in frames(sequence):
        match = cv2.matchTemplate(photograph, frame, cv2.TM_SQDIFF)
        top, left = np.unravel_index(np.argmin(match), match.shape)
        assert np.array_equal(photograph[top : top + SIZE, left : left + SIZE], frame)
        assert left <= box[0]
        assert top <= box[1]
        assert left + SIZE >= box[2]
        assert top + SIZE >= box[3]
        found.append((top, left))
    assert len(set(found)) == sequence.n_frames


def test_fewer_steps_lie_around_the_middle_of_the_range(photograph):
    (sequence,) = sequences(photograph, "crop", boxes=boxes_of((40, 20, 80, 60)), steps=5)
    # Of the first columns 16 to 40 the middle ones, in the row that centres the box.
    first = [
        int(np.argmin(cv2.matchTemplate(photograph, f, cv2.TM_SQDIFF)[8])) for f in frames(sequence)
    ]
    assert sequence.room == 25
    assert np.allclose(sorted(first), np.arange(26, 31))
    assert first == sorted(first, reverse=True)


def test_a_diagonal_of_few_steps_lies_in_the_middle_along_both_axes(photograph):
    box = boxes_of((40, 20, 80, 60))
    (sequence,) = sequences(photograph, "crop", boxes=box, direction="diagonal", steps=3)
    (whole,) = sequences(photograph, "crop", boxes=box, direction="horizontal", steps=99)
    # Columns from 16 to 40, rows from 0 to 20: the middle ones are 28 and 10.
    match = cv2.matchTemplate(photograph, frames(sequence)[1], cv2.TM_SQDIFF)
    assert np.unravel_index(np.argmin(match), match.shape) == (10, 28)
    assert whole.n_frames == 25


def test_boxes_of_photographs_in_folders_are_those_of_their_folders():
    row = {
        "category": "cat", "image_id": "x/1", "object": 0, "split": "", "image_width": 10,
        "image_height": 10, "x_min": 0.1, "y_min": 0.2, "x_max": 0.3, "y_max": 0.4, "lattice": 1.0,
    }  # fmt: skip
    other = {**row, "image_id": "y/1", "x_min": 0.2}
    table = BOXES.check(pd.DataFrame([row, other]), "boxes")
    both = boxes_by_image(table, {"x/1", "y/1"})
    assert [both[name].fractions[0, 0] for name in ("x/1", "y/1")] == [0.1, 0.2]
    # A bare name that two annotated images share is nobody's.
    assert boxes_by_image(table, {"1"}) == {}


def test_the_largest_box_all_together_or_each_is_kept(photograph):
    both = boxes_of((50, 30, 60, 40), (40, 20, 80, 60))
    (largest,) = sequences(photograph, "crop", boxes=both, objects="largest")
    (together,) = sequences(photograph, "crop", boxes=both, objects="all")
    each = sequences(photograph, "crop", boxes=both, objects="each")
    assert (largest.object_number, together.object_number) == (1, -1)
    assert [one.object_number for one in each] == [0, 1]
    assert each[0].box_area == pytest.approx(100 / SIZE**2)


@pytest.mark.parametrize(
    ("box", "size", "reason"),
    [
        ((0, 0, 100, 60), (120, 90), "box is larger than the input, 64 px"),
        ((28, 0, 92, 60), (120, 90), "no room for a step: the box fills the window or the "),
        ((1, 1, 9, 9), (120, 60), "photograph is smaller than the input, 64 px"),
    ],
)
def test_what_cannot_be_cropped_says_why(box, size, reason):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    found, refused = make_sequences(
        picture, plan("crop"), image_id="a", category="", boxes=boxes_of(box, size=size)
    )
    assert not found
    assert next(iter(refused.values())).startswith(reason)


def test_only_boxes_of_the_images_class_count(photograph):
    boxes = boxes_of((50, 30, 60, 40), (40, 20, 80, 60), categories=("cat", "dog"))
    found, _ = make_sequences(photograph, plan("crop"), image_id="a", category="cat", boxes=boxes)
    assert found[0].object_number == 0
    _, refused = make_sequences(photograph, plan("crop"), image_id="a", category="cow", boxes=boxes)
    assert refused == {-1: "no box of its category"}
    _, refused = make_sequences(photograph, plan("crop"), image_id="a", category="", boxes=None)
    assert refused == {-1: "no box in the study's table boxes"}


def test_a_photograph_of_another_shape_than_annotated_is_refused():
    boxes = boxes_of((0, 0, 50, 50), size=(100, 100))
    message = "photograph of another shape than annotated"
    with pytest.raises(SweepError, match=f"^{re.escape(message)}$"):
        on_photograph(boxes, 100, 50)


def test_boxes_are_found_by_the_photographs_name():
    row = {
        "category": "cat", "image_id": "val/a", "object": 0, "split": "val", "image_width": 10,
        "image_height": 10, "x_min": 0.1, "y_min": 0.2, "x_max": 0.3, "y_max": 0.4, "lattice": 1.0,
    }  # fmt: skip
    table = BOXES.check(pd.DataFrame([row, {**row, "image_id": "val/b"}]), "boxes")
    found = boxes_by_image(table, {"a", "c"})
    assert list(found) == ["a"]
    assert found["a"].fractions.tolist() == [[0.1, 0.2, 0.3, 0.4]]


def test_roll_is_numpys_roll(photograph):
    (sequence,) = sequences(photograph, "roll", direction="diagonal", steps=9)
    shown = frames(sequence)
    still = shown[4]
    for frame, dy, dx in zip(shown, sequence.dy, sequence.dx, strict=True):
        assert np.array_equal(frame, np.roll(still, (int(dy), int(dx)), axis=(0, 1)))


def test_pairs_are_windows_of_the_resized_square_at_offsets_of_the_image_alone(photograph):
    found = sequences(photograph, "pairs", pairs=200)
    assert len(found) == 200
    side = round(SIZE * 256 / 224)
    zoom = side / 90
    size = round(zoom * 120), side
    square = np.asarray(Image.fromarray(photograph).resize(size, Image.Resampling.BILINEAR))
    left = (size[0] - side) // 2
    square = square[:, left : left + side]
    for sequence in found[:20]:
        for frame, top, begin in zip(frames(sequence), sequence.top, sequence.left, strict=True):
            assert np.array_equal(frame, square[top : top + SIZE, begin : begin + SIZE])
    offsets = np.concatenate([[s.top, s.left] for s in found])
    assert set(offsets.ravel()) == set(range(side - SIZE))
    again = sequences(photograph, "pairs", pairs=200)
    assert all(np.array_equal(a.top, b.top) for a, b in zip(found, again, strict=True))
    other, _ = make_sequences(
        photograph, plan("pairs", pairs=200), image_id="b", category="", boxes=None
    )
    assert not all(np.array_equal(a.top, b.top) for a, b in zip(found, other, strict=True))


@pytest.fixture
def film(tmp_path):
    rng = np.random.default_rng(2)
    moving = rng.integers(0, 256, (80, 200, 3)).astype(np.uint8)
    moving = cv2.GaussianBlur(moving, (0, 0), 3)
    for number in range(12):
        Image.fromarray(moving[:, number : number + 100]).save(tmp_path / f"frame_{number}.png")
    return tmp_path


def test_a_films_frames_come_in_the_order_of_their_numbers(film):
    "frame_2 before frame_10"
    pieces = list(film_pieces(film))
    assert [len(piece) for piece in pieces] == [12]
    expected = [np.asarray(Image.open(film / f"frame_{number}.png")) for number in range(12)]
    assert all(np.array_equal(a, b) for a, b in zip(pieces[0], expected, strict=True))
    sequence = show_film(pieces[0], plan("film"), first=0)
    assert sequence.canvases.shape == (12, SIZE, SIZE, 3)
    assert sequence.starts
    assert not show_film(pieces[0], plan("film"), first=64).starts


def test_a_video_is_read_frame_by_frame(film, tmp_path):
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (100, 80))
    expected = next(film_pieces(film))
    for frame in expected:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    found = next(film_pieces(path))
    assert len(found) == 12
    # MJPG is lossy: its frames are near, and in order.
    distances = [[abs(a.astype(int) - b.astype(int)).mean() for b in expected] for a in found]
    assert np.argmin(distances, axis=1).tolist() == list(range(12))


def test_a_film_with_a_broken_frame_is_refused(film):
    (film / "frame_5.png").write_bytes(b"no picture")
    with pytest.raises(SweepError, match=r"frame_5.png: no picture that can be read\.$"):
        list(film_pieces(film))


def test_a_video_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(io.BytesIO(b"not a video").getvalue())
    with pytest.raises(SweepError, match=r"a.mp4: (is neither a folder of frames|no frame of it)"):
        list(film_pieces(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"protocol": "fly"}, "unknown protocol 'fly'. Known: embed, crop"),
        ({"direction": "sideways"}, "--direction sideways: protocol embed takes vertical, horiz"),
        ({"fill": "pink"}, "unknown fill 'pink'. Known: harmonic"),
        ({"protocol": "crop", "fill": "mean"}, "--fill mean: protocol crop fills nothing."),
        ({"protocol": "crop", "refill": True}, "--refill: protocol crop has no background"),
        ({"protocol": "film", "steps": 5}, "--steps 5: a film has as many frames as it has."),
        ({"steps": 1}, "--steps 1: a sweep has at least 2."),
        ({"steps": 40}, "--steps 40: an image of 46 px has room for 19 in an input of 64 px."),
        ({"side": 65}, "--side 65: expected 8 to 64 px, the input's side."),
        ({"protocol": "scale", "steps": 60}, "--steps 60: the image would be 17 to 76 px long"),
        ({"protocol": "pairs", "pairs": 0}, "--pairs 0: expected 1 or more."),
        ({"objects": "some"}, "--object some: expected largest, all or each."),
    ],
)
def test_a_plan_that_cannot_be_is_refused_before_any_work(options, words):
    with pytest.raises(SweepError, match=f"^{re.escape(words)}"):
        plan(**{"protocol": "embed", **options})
