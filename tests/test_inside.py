"""Sums of maps while the picture moves: networks whose sums cannot move, and some that must."""

import base64
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
import toy_networks
from torch import nn

from biaskit.errors import NetworkError
from biaskit.sweeps.antialiasing.antialias import antialiased
from biaskit.sweeps.chunks import cut_chunks
from biaskit.sweeps.inside.energies import map_energies
from biaskit.sweeps.inside.maps import feature_maps, pictured_layers
from biaskit.sweeps.inside.nonshiftability import measure_sums
from biaskit.sweeps.inside.reader import SumReader
from biaskit.sweeps.inside.runner import InsideSetup, chosen_channels, sum_chunks
from biaskit.sweeps.inside.tables import by_image, shiftability_table
from biaskit.sweeps.networks import NetworkRequest
from biaskit.sweeps.networks.calls import seeing
from biaskit.sweeps.networks.layers import find_layers
from biaskit.sweeps.preparing import prepare_image
from biaskit.sweeps.sampling import energies

SIZE = toy_networks.SIZE
NAMES = {
    "network": "toy",
    "variant": "plain",
    "protocol": "roll",
    "direction": "vertical",
    "fill": "none",
}


def swept(folder, module, *, steps=9, batch=8, n=3, protocol="roll", others=()):
    "What the sums over a network's maps say under cyclic shifts, as a table"
    folder.mkdir(exist_ok=True)
    images = toy_networks.photographs(folder / "photos", n)
    network = toy_networks.network(module)
    planned = toy_networks.plan(protocol, steps=steps)
    request = NetworkRequest("toy")
    setup = InsideSetup(request, planned, str(folder / "photos"), "cpu", False, batch, 1, others)
    chunks = cut_chunks(images, planned, batch, {})
    found = list(sum_chunks(setup, iter(chunks), network=network))
    return pd.concat([shiftability_table(NAMES, part, seed=0) for part in found])


def test_without_strides_no_sum_moves_under_cyclic_shifts(tmp_path):
    "The map moves with the picture, so its sum stays: but for rounding, 1e-7 a place"
    table = swept(tmp_path, toy_networks.rolling(1, 1, 1))
    assert set(table["layer"]) == {"0", "2", "4"}
    known = table[table["nonshiftability"].notna()]
    assert len(known) > 50
    assert (known["nonshiftability"] == 0).all()
    assert (known["deviation"] == 0).all()
    assert known["variation"].max() < 1e-6


def test_a_stride_makes_sums_move_and_an_ideal_low_pass_stops_it_until_the_next_nonlinearity(
    tmp_path,
):
    plain = toy_networks.rolling(1, 2, 1)
    before = swept(tmp_path / "a", plain).groupby("layer")
    after = swept(tmp_path / "b", antialiased(plain, "lowpass", SIZE)).groupby("layer")
    assert before["nonshiftability"].mean()["2"] > 0
    assert before["variation"].max()["2"] > 0.05
    assert before["variation"].max()["0"] < 1e-6
    assert after["variation"].max()["2"] < 1e-5
    # The ReLU behind the samples makes new energy above half their rate, which no filter before
    # them can prevent: so this layer's sums may move, and do.
    assert after["variation"].max()["4"] > 1e-5


def test_a_binomial_of_three_taps_stops_a_stride_of_two_on_the_sum(tmp_path):
    "Its only zero, at half a cycle per place, is the one frequency that folds onto the sum"
    blurred = antialiased(toy_networks.rolling(1, 2), "blur-3", SIZE)
    assert swept(tmp_path, blurred)["variation"].max() < 1e-6


def test_energies_are_those_of_the_response_before_places_are_dropped(tmp_path):
    module = toy_networks.rolling(1, 2)
    table = swept(tmp_path, module, n=1, steps=3)
    assert table.groupby("layer")["energy_onto_dc"].count().to_dict() == {"0": 0, "2": 8}
    planned = toy_networks.plan("roll", steps=3)
    (image,) = toy_networks.photographs(tmp_path / "photos", 1)
    (sequence,) = prepare_image(tmp_path / "photos", image, planned, None).sequences
    top, left = sequence.top[1], sequence.left[1]
    frame = sequence.canvases[0, top : top + SIZE, left : left + SIZE]
    picture = torch.tensor(frame.transpose(2, 0, 1)[None], dtype=torch.float32)
    with torch.inference_mode():
        dense = module[2]._conv_forward(module[:2](picture), module[2].weight, module[2].bias)
        module[2].stride = (1, 1)
        dense = module[2](module[:2](picture))
    expected = energies(dense[0].double().numpy(), 2, periodic=True)
    own = table[table["layer"] == "2"]
    np.testing.assert_allclose(own["energy_onto_dc"], expected.onto_dc, atol=1e-5)
    np.testing.assert_allclose(own["energy_above_nyquist"], expected.above_nyquist, atol=1e-5)


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("factor", [(2, 2), (4, 4), (1, 3)])
def test_energies_by_products_are_those_by_transforms(periodic, factor):
    maps = np.random.default_rng(5).standard_normal((2, 4, 25, 27)).cumsum(axis=-1)
    above, onto = map_energies(torch.tensor(maps), factor, periodic=periodic)
    expected = energies(maps, factor, periodic=periodic)
    np.testing.assert_allclose(above, expected.above_nyquist, atol=1e-12)
    np.testing.assert_allclose(onto, expected.onto_dc, atol=1e-12)


def test_a_map_smaller_than_the_step_has_no_energies():
    for found in map_energies(torch.ones(2, 3, 1, 8), (2, 2), periodic=False):
        assert found.shape == (2, 3)
        assert found.isnan().all()


def test_energies_are_not_rounded_by_autocast():
    "bf16 has 8 bits: a wave below half the rate would be found above by 1e-3 or so"
    maps = torch.rand(1, 2, 64, 64, generator=torch.Generator().manual_seed(2))
    plain = map_energies(maps, (2, 2), periodic=True)
    with torch.autocast("cpu", torch.bfloat16):
        again = map_energies(maps, (2, 2), periodic=True)
    for one, other in zip(plain, again, strict=True):
        assert torch.equal(one, other)


def test_energies_of_a_variant_are_of_the_layers_it_leaves_alone(tmp_path):
    "blur-3-pools blurs the pool; before it nothing changes, so neither does the layer's energy"
    with torch.random.fork_rng():
        torch.manual_seed(4)
        module = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(2))
        module += toy_networks.rolling(1)[2:]
    variant = antialiased(module.eval(), "blur-3-pools", SIZE)
    plain, blurred = (
        swept(tmp_path / name, one, n=1, steps=3).groupby("layer")["energy_onto_dc"]
        for name, one in (("plain", module), ("blurred", variant))
    )
    assert plain.count().to_dict() == {"0": 8, "2": 8}
    assert blurred.count().to_dict() == {"0": 8, "2": 0}
    np.testing.assert_array_equal(plain.mean()["0"], blurred.mean()["0"])


def test_rounding_of_a_sum_that_is_0_is_no_movement(tmp_path):
    "Filters without a mean, read without an activation: float32 leaves 1e-8 of the magnitudes"
    module = toy_networks.rolling(1)
    del module[1]
    module[0].weight.data -= module[0].weight.data.mean((2, 3), keepdim=True)
    module[0].bias = None
    table = swept(tmp_path, module)
    assert (table["layer"] == "0").all()
    assert table["nonshiftability"].isna().all()
    assert (table["n_changes"] == 0).all()
    # A mean of 1e-6 of the magnitudes is the limit, and what is above is a sum that moves.
    sums, magnitudes = np.array([[0.9e-6, 2e-6], [0.9e-6, 4e-6]]), np.ones((2, 2))
    assert measure_sums(sums, magnitudes).nonshiftability.tolist() == [
        pytest.approx(np.nan, nan_ok=True),
        1,
    ]


@pytest.mark.parametrize(
    "activation", [nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.GELU(), nn.Identity(), nn.Hardtanh()]
)
def test_magnitudes_are_those_of_the_map(activation):
    module = nn.Sequential(nn.Conv2d(3, 80, 3), activation).eval()
    layers = find_layers(module, 96)
    reader = SumReader(layers)
    frames = torch.randn(3, 3, 96, 96, generator=torch.Generator().manual_seed(6))
    with torch.inference_mode(), seeing(module, reader):
        maps = module(frames)
    expected = torch.stack([maps.sum((2, 3)), maps.abs().sum((2, 3))])
    torch.testing.assert_close(reader.take(3), expected, rtol=1e-5, atol=1e-2)


def test_a_network_without_maps_is_refused(tmp_path):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 10))
    words = "toy: has no convolution or pooling that makes a map; name modules with --layer."
    with pytest.raises(NetworkError, match=f"^{re.escape(words)}$"):
        swept(tmp_path, module)


def test_sums_do_not_depend_on_the_batch(tmp_path):
    "A batch that ends within an image is put together again"
    tables = [
        swept(tmp_path / str(batch), toy_networks.rolling(1, 2), batch=batch)
        for batch in (4, 7, 64)
    ]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(
            tables[0].reset_index(drop=True), other.reset_index(drop=True), rtol=1e-5, atol=1e-6
        )


def test_a_dead_map_is_left_out_and_counted(tmp_path):
    module = toy_networks.rolling(1, 2)
    module[0].bias.data[3] = -1e6
    table = swept(tmp_path, module)
    dead = table[(table["layer"] == "0") & (table["channel"] == 3)]
    assert dead["nonshiftability"].isna().all()
    assert dead["variation"].isna().all()
    assert (dead["n_changes"] == 0).all()
    images = by_image(table)
    assert images.loc[images["layer"] == "0", "left_out"].tolist() == [1 / 8] * 3


def test_one_channel_is_drawn_for_each_image_and_layer(tmp_path):
    table = swept(tmp_path, toy_networks.rolling(1, 2), n=3)
    drawn = table[table["chosen"]]
    assert len(drawn) == 3 * 2
    layer = find_layers(toy_networks.rolling(1, 2).eval(), SIZE)[0]
    own = chosen_channels(0, [drawn["image_id"].iloc[0]], [layer])
    assert drawn["channel"].iloc[0] == own[0, 0]
    channels = chosen_channels(0, [f"image {k}" for k in range(8000)], [layer])[:, 0]
    # Four standard errors of a share of 1/8 among 8,000 are .015.
    assert np.abs(np.bincount(channels, minlength=8) / 8000 - 1 / 8).max() < 0.015


def test_measures_of_sums_by_hand():
    "Mean 2; steps of 0, 1, 1, 0: two exceed .4; deviations of .8, .8, .2, .8, .8 exceed .4 but one"
    sums = np.array([[1.2], [1.2], [2.2], [2.7], [2.7]])
    found = measure_sums(sums)
    assert found.mean_sum == pytest.approx(2)
    assert found.n_changes.tolist() == [2]
    assert found.nonshiftability.tolist() == [0.5]
    assert found.deviation.tolist() == [pytest.approx(0.8)]
    assert found.variation == pytest.approx(np.std(sums) / 2)


def test_drift_is_a_deviation_and_no_change():
    "From 1 to 3 in small steps: .6 of the way is farther than .4 from the mean, 2"
    found = measure_sums(np.linspace(1, 3, 101)[:, None])
    assert found.n_changes.tolist() == [0]
    assert found.deviation[0] == pytest.approx(0.6, abs=0.02)


def test_maps_are_read_before_an_activation_in_place_changes_them():
    "torch's ReLU may overwrite its argument: a kept map would be another one when it is read"
    module = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.BatchNorm2d(1), nn.ReLU(inplace=True))
    module[0].weight.data.fill_(1)
    module.eval()
    layers = find_layers(module, 4)
    reader = SumReader([layer._replace(read=layer.read - 1) for layer in layers])
    picture = torch.full((1, 3, 4, 4), -2.0)
    with torch.inference_mode(), seeing(module, reader):
        module(picture)
    assert float(reader.take(1)[0]) == pytest.approx(-96, rel=1e-4)


def test_a_module_that_is_asked_for_is_a_layer(tmp_path):
    module = nn.Sequential(toy_networks.rolling(1, 2)[:4], nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module.append(nn.Linear(8, 10))
    table = swept(tmp_path, module, others=("0",))
    assert set(table["layer"]) == {"0", "0.0", "0.2"}
    own, last = (table.loc[table["layer"] == name, "mean_sum"].to_numpy() for name in ("0", "0.2"))
    np.testing.assert_array_equal(own, last)


def test_pictures_of_maps_move_with_the_picture(tmp_path):
    (image,) = toy_networks.photographs(tmp_path / "photos", 1)
    planned = toy_networks.plan("roll", steps=8)
    setup = InsideSetup(
        NetworkRequest("toy"), planned, str(tmp_path / "photos"), "cpu", False, 8, 1
    )
    prepared = prepare_image(tmp_path / "photos", image, planned, None)
    network = toy_networks.network(toy_networks.rolling(1, 1))
    table = feature_maps(setup, prepared, network=network)
    assert table["layer"].nunique() == 2
    first = table[table["layer"] == "0"]
    assert np.ptp(first["sum"]) < 1e-3 * first["sum"].abs().max()
    maps = [
        np.frombuffer(base64.b64decode(levels), np.uint8).reshape(SIZE, SIZE)
        for levels in first["levels"]
    ]
    for one, other in pairwise(maps):
        moved = np.roll(one, 1, axis=0).astype(int)
        assert np.abs(moved - other).max() <= 1
    assert (maps[0] != maps[1]).any()


def test_reading_maps_does_not_move_what_a_variant_does(tmp_path):
    "What a reader computes is not counted: else the blur would come after other calls"
    (image,) = toy_networks.photographs(tmp_path / "photos", 1)
    planned = toy_networks.plan("roll", steps=8)
    setup = InsideSetup(
        NetworkRequest("toy"), planned, str(tmp_path / "photos"), "cpu", False, 8, 1
    )
    prepared = prepare_image(tmp_path / "photos", image, planned, None)
    plain = toy_networks.rolling(1, 2, 2)
    one, other = (
        feature_maps(setup, prepared, network=toy_networks.network(module))
        for module in (plain, antialiased(plain.eval(), "blur-1", SIZE))
    )
    pd.testing.assert_frame_equal(one, other, rtol=1e-5)


def test_layers_for_pictures_span_the_depth():
    layers = find_layers(toy_networks.rolling(*[1] * 11).eval(), SIZE)
    assert [layer.depth for layer in pictured_layers(layers, 3)] == [1, 6, 11]


PEAK = """
import resource, sys, torch
from biaskit.sweeps.devices import settle
from biaskit.sweeps.inside.reader import SumReader
from biaskit.sweeps.networks import find_network
from biaskit.sweeps.networks.calls import seeing
from biaskit.sweeps.networks.layers import find_layers
settle("cpu")
module = find_network("squeezenet1_0", weights="random").load().module
layers = find_layers(module, 299)
reader, frames = SumReader(layers), torch.zeros(64, 3, 299, 299)
with torch.inference_mode():
    for _ in range(2):
        if sys.argv[1] == "sums":
            with seeing(module, reader):
                module(frames)
            reader.take(64)
        else:
            module(frames)
maps = 64 * 4 * sum(layer.channels * layer.height * layer.width for layer in layers) // 2**20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, maps)
"""


@pytest.mark.slow
def test_memory_stays_that_of_the_bare_network_at_299_px_in_batches_of_64():
    "The maps of all layers together would take 2 GB more; the allocator alone moves the peak by .4"
    found = {}
    for way in ("bare", "sums"):
        told = subprocess.check_output([sys.executable, "-c", PEAK, way], text=True)
        found[way], maps = map(int, told.split())
    assert maps > 2000  # MB
    assert found["sums"] < found["bare"] + 0.4 * maps, found
