"""Views for people and their answers: the same places as promised, and nothing given away."""

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="canvases need OpenCV")

from annotate.answers import answer_rows, class_config, class_tasks, near_classes, offered_classes
from annotate.images import choose_images
from annotate.landmarks import check_config
from annotate.views import ViewPlan, make_views
from biaskit.annotations.synsets import imagenet_wnids, words_of
from biaskit.errors import ServerError

PLAN = ViewPlan(side=64, scale=0.5, fill="mean", places=2, seed=3)


@pytest.fixture
def images(tmp_path):
    for k, wnid in enumerate(("n02097474", "n02504013")):
        for j in range(5):
            pixels = np.random.default_rng([k, j]).integers(0, 255, (40, 80, 3), dtype=np.uint8)
            (tmp_path / wnid).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / wnid / f"{wnid}_{j}.png")
    return choose_images(tmp_path, per_category=None, seed=1)[0]


def test_the_image_is_at_half_size_where_the_key_says_and_a_view_is_made_once(images, tmp_path):
    views, refused = make_views(images, PLAN, tmp_path / "views")
    assert (len(views), refused) == (20, {})
    for view in views:
        canvas = np.asarray(Image.open(view.shown.path)).astype(int)
        assert canvas.shape == (64, 64, 3)
        # The fill is one colour; what differs from it is the image of 32 x 16 px.
        fill = canvas[0, 0] if (canvas[0, 0] == canvas[0, 1]).all() else canvas[-1, -1]
        rows, columns = np.nonzero((canvas != fill).any(axis=2))
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (16, 32)
        assert view.dy == pytest.approx((rows.min() + 8) / 64 - 0.5)
        assert view.dx == pytest.approx((columns.min() + 16) / 64 - 0.5)
    times = {view.shown.path: view.shown.path.stat().st_mtime_ns for view in views}
    again, _ = make_views(images[::-1], PLAN, tmp_path / "views")
    assert sorted(v.shown.image.image_id for v in again) == sorted(
        v.shown.image.image_id for v in views
    )
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_places_are_uniform_over_the_free_room(tmp_path):
    "Of 400 places the mean is within four standard errors of the middle, and all of it is used"
    Image.new("RGB", (80, 40)).save(tmp_path / "a.png")
    one = choose_images(tmp_path, per_category=None, seed=1)[0]
    plan = ViewPlan(side=64, scale=0.5, fill="black", places=400, seed=1)
    views, _ = make_views(one, plan, tmp_path / "views")
    for values, room in (([v.dx for v in views], 33), ([v.dy for v in views], 49)):
        places = np.array(values) * 64 + (room - 1) / 2
        assert abs(places.mean() - (room - 1) / 2) < 4 * np.sqrt((room**2 - 1) / 12 / 400)
        assert (places.min(), places.max()) == (0, room - 1)


def test_neither_tasks_nor_file_names_give_the_class_away(images, tmp_path):
    views, _ = make_views(images, PLAN, tmp_path / "views")
    words = {"n02097474": "dog", "n02504013": "elephant", "n1": "cat", "n2": "bird"}
    addresses = {v.shown.image.image_id: f"/{v.shown.path.name}" for v in views}
    tasks = class_tasks(views, addresses, words, neighbours=2, annotators=2)
    told = json.dumps([{k: v for k, v in t["data"].items() if k != "near"} for t in tasks])
    assert "n02" not in told
    key = {v.shown.image.image_id: words[v.category] for v in views}
    places = [
        [o["value"] for o in t["data"]["near"]].index(key[t["data"]["image_id"]]) for t in tasks
    ]
    assert set(places) == {0, 1, 2}  # the true one stands anywhere


def test_all_thousand_classes_have_a_word_of_their_own():
    wnids = imagenet_wnids()
    if not wnids:
        pytest.skip("the list of ImageNet's classes comes with timm, which is not installed")
    words = offered_classes(["n02097474"], words_of())
    assert len(set(words.values())) == len(words) == 1000
    check_config(class_config(words))
    near = near_classes("n02097474", list(words), 9)
    assert len(near) == 10
    assert sum(name.startswith("n020") for name in near) == 10  # all of them dogs


def test_answers_by_choice_and_by_search_become_rows_and_skips_do_not():
    view = {"category": "a", "place": 0, "dx": 0.1, "dy": -0.2, "scale": 0.5, "fill": "harmonic"}
    key = {"v1": {**view, "image_id": "one"}, "v2": {**view, "image_id": "two"}}
    key["v3"] = {**view, "image_id": "three"}
    words = {"a": "ape", "b": "bee"}

    def entry(number, who, value, **more):
        return {"id": number, "completed_by": who, "lead_time": 2.5, **more,
                "result": [{"value": value}] if value else []}  # fmt: skip

    tasks = [
        {
            "data": {"image_id": "v1"},
            "annotations": [
                entry(2, 7, {"choices": ["bee"]}),  # a second thought does not count
                entry(1, 7, {"choices": ["ape"]}),
                entry(3, 8, {"taxonomy": [["bee"]]}),
            ],
        },
        {"data": {"image_id": "v2"}, "annotations": [entry(4, 7, None, was_cancelled=True)]},
        {"data": {"image_id": "v3"}, "annotations": [entry(5, 8, None)]},
        {"data": {"image_id": "unknown"}, "annotations": [entry(6, 7, {"choices": ["ape"]})]},
    ]
    table = answer_rows(tasks, key, words, {7: "A1", 8: "A2"})
    shown = table[["network", "image_id", "top1", "correct_top1", "seconds"]].values.tolist()
    assert shown == [
        ["people A1", "one", "a", 1.0, 2.5],
        ["people A2", "one", "b", 0.0, 2.5],
        ["people A2", "three", "", 0.0, 2.5],
    ]
    assert len(answer_rows([], key, words, {})) == 0


def test_an_unknown_fill_is_refused_with_those_there_are(images, tmp_path):
    with pytest.raises(ServerError, match="--fill 'mud' is unknown, expected harmonic, telea"):
        make_views(images, ViewPlan(64, 0.5, "mud", 1, 0), tmp_path)
