"""Who enters a test, and how they are counted."""

import numpy as np
import pytest

from biaskit.bias.entrants import Entrants
from biaskit.bias.objects import arrange
from biaskit.bias.planted import planted
from biaskit.bias.policies import POLICIES, weights


@pytest.fixture(scope="module")
def objects():
    return arrange(planted("near-copies", n_images=30, n_categories=3, seed=4))


@pytest.mark.parametrize("policy", POLICIES)
def test_counts_are_those_of_a_loop_over_objects(objects, policy):
    included = np.random.default_rng(1).random(len(objects)) < 0.7
    entered = Entrants(objects, seed=2).under(included, policy)
    assert entered.weight.tolist() == weights(objects, included, policy, seed=2).tolist()
    for g in range(objects.n_groups):
        here = objects.group == g
        taken = here & (entered.weight > 0)
        assert entered.counts.n_objects[g] == taken.sum()
        assert entered.counts.n_images[g] == len(set(objects.image[taken]))
        assert entered.counts.n_excluded[g] == (here & ~included).sum()


def test_equal_questions_share_one_answer(objects):
    entrants = Entrants(objects, seed=2)
    included = np.ones(len(objects), bool)
    first = entrants.under(included, "one")
    assert entrants.under(included.copy(), "one") is first
    included[3] = False
    assert entrants.under(included, "one") is not first
    assert entrants.under(included, "all") is not entrants.under(included, "one")
