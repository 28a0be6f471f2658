import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biaskit.bias.objects import arrange, boxes_from_pixels
from biaskit.bias.policies import POLICIES, Candidates, lots, weights


def crowd(n_images, per_image, category="thing"):
    "Images with ``per_image`` boxes, the k-th of width 10 + 10 k"
    parts = []
    for k in range(per_image):
        edges = np.tile([5, 5, 15 + 10 * k, 15], (n_images, 1))
        parts.append(boxes_from_pixels(edges, frame=(100, 100), category=category).assign(object=k))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def objects():
    return arrange(pd.concat([crowd(20, 3), crowd(5, 1, "zebra"), crowd(7, 2, "ant")]))


def everything(objects):
    return np.ones(len(objects), bool)


@pytest.mark.parametrize("policy", ["one", "weighted", "largest"])
def test_every_image_weighs_one(objects, policy):
    weight = weights(objects, everything(objects), policy, seed=1)
    assert np.allclose(np.bincount(objects.image, weight), 1, rtol=1e-15)


def test_all_counts_every_object(objects):
    assert weights(objects, everything(objects), "all", seed=1).tolist() == [1] * len(objects)


@pytest.mark.parametrize("policy", POLICIES)
def test_objects_that_may_not_enter_weigh_nothing(objects, policy):
    included = np.random.default_rng(0).random(len(objects)) < 0.5
    weight = weights(objects, included, policy, seed=1)
    assert (weight[~included] == 0).all()
    has_any = np.bincount(objects.image, included) > 0
    if policy != "all":
        assert np.allclose(np.bincount(objects.image, weight), has_any)


def test_largest_takes_the_largest_that_may_enter(objects):
    weight = weights(objects, everything(objects), "largest", seed=1)
    thing = objects.table["category"] == "thing"
    assert (objects.table["object"][thing & (weight > 0)] == 2).all()
    included = (objects.table["object"] < 2).to_numpy()
    weight = weights(objects, included, "largest", seed=1)
    assert (objects.table["object"][thing & (weight > 0)] == 1).all()


def test_equally_large_objects_are_drawn_by_lot():
    objects = arrange(crowd(400, 2).assign(x_min=0.05, x_max=0.15))
    weight = weights(objects, everything(objects), "largest", seed=1)
    assert weight.sum() == 400
    assert np.array_equal(weight, weights(objects, everything(objects), "one", seed=1))


def test_one_takes_every_object_of_an_image_equally_often():
    objects = arrange(crowd(3000, 3))
    weight = weights(objects, everything(objects), "one", seed=8)
    counts = np.bincount(objects.table["object"], weight)
    assert stats.chisquare(counts).pvalue > 1e-3
    again = weights(objects, everything(objects), "one", seed=8, draw=1)
    # Two independent draws of three agree in a third of the images, s.e. 0.0086.
    assert abs((weight * again).sum() / 3000 - 1 / 3) < 4 * 0.0086


def test_who_is_taken_does_not_depend_on_order_or_company():
    boxes = pd.concat([crowd(20, 3), crowd(7, 2, "ant")])
    taken = []
    for table in (boxes, boxes.sample(frac=1, random_state=3), crowd(20, 3)):
        objects = arrange(table)
        weight = weights(objects, everything(objects), "one", seed=1)
        chosen = objects.table[weight > 0]
        taken.append(chosen[chosen["category"] == "thing"]["object"].tolist())
    assert taken[0] == taken[1] == taken[2]


def test_equal_lots_take_one_object_and_not_two():
    candidates = Candidates(np.array([0, 0, 1, 1]), np.arange(4))
    assert candidates.draw(np.array([0.3, 0.3, 0.9, 0.3])).tolist() == [0, 3]


@pytest.mark.parametrize("policy", POLICIES)
def test_no_objects_have_no_weights(policy, objects):
    none = np.zeros(len(objects), bool)
    assert weights(objects, none, policy, seed=1).sum() == 0
    empty = arrange(crowd(1, 1).iloc[:0])
    assert weights(empty, np.zeros(0, bool), policy, seed=1).shape == (0,)
    assert lots(empty, seed=1).shape == (0,)


def test_unknown_policy_and_wrong_length_are_refused(objects):
    with pytest.raises(ValueError, match=r"^policy 'best' is unknown; known: one, weighted, all"):
        weights(objects, everything(objects), "best", seed=1)
    with pytest.raises(ValueError, match=r"^included has shape \(2,\), expected \(79,\)$"):
        weights(objects, np.ones(2, bool), "one", seed=1)
