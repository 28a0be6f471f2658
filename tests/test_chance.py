import numpy as np
import pandas as pd
from scipy import stats

from biaskit.chance import hash_keys, keyed_uniform

NAMES = np.array([f"image_{i}" for i in range(100_000)], dtype=object)


def test_the_number_belongs_to_the_name_and_not_to_its_place():
    order = np.random.default_rng(0).permutation(len(NAMES))
    numbers = keyed_uniform(7, NAMES, "x")
    assert np.array_equal(keyed_uniform(7, NAMES[order], "x"), numbers[order])


def test_the_numbers_are_the_same_for_ever():
    "Published p-values are drawn again from their seed: this may change in no version"
    assert keyed_uniform(1, "image", 0).tolist() == [0.9329264659459001]
    assert keyed_uniform(1, np.array([5], np.uint64)).tolist() == [0.7529592757103688]


def test_every_kind_of_column_gives_the_same_hash():
    words = ["a", "b", "a"]
    as_object = hash_keys(np.array(words, dtype=object))
    assert np.array_equal(as_object, hash_keys(pd.Series(words, dtype=str)))
    assert np.array_equal(as_object, hash_keys(np.array(words)))
    numbers = np.array([1, 2, 3])
    assert np.array_equal(hash_keys(numbers), hash_keys(pd.Series(numbers).astype(np.int32)))


def test_numbers_are_uniform_and_strictly_inside():
    numbers = keyed_uniform(3, NAMES)
    assert 0 < numbers.min() < numbers.max() < 1
    # Wrong once in ten thousand times, if the hash were true chance.
    assert stats.kstest(numbers, "uniform").pvalue > 1e-4


def test_other_seeds_purposes_and_draws_give_unrelated_numbers():
    base = keyed_uniform(1, "x", 0, NAMES)
    others = [
        keyed_uniform(2, "x", 0, NAMES),
        keyed_uniform(1, "y", 0, NAMES),
        keyed_uniform(1, "x", 1, NAMES),
    ]
    for other in others:
        # Four standard errors of a correlation of nothing.
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(len(NAMES))


def test_the_order_of_the_keys_counts():
    assert hash_keys("a", "b")[0] != hash_keys("b", "a")[0]
    assert hash_keys(1, 2)[0] != hash_keys(2, 1)[0]


def test_hashes_of_many_names_do_not_collide():
    assert len(np.unique(hash_keys(NAMES, np.arange(len(NAMES))))) == len(NAMES)
