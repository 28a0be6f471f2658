"""What the runner says of frames is what the network says of each, shown by itself."""

import itertools
import re
import weakref

import numpy as np
import pytest
import torch
import toy_networks as toy
from PIL import Image
from torch import nn

from biaskit.errors import NetworkError, SweepError
from biaskit.sweeps.batches import Batcher
from biaskit.sweeps.chunks import Chunk, cut_chunks, of_shard, read_shard, usual_batch
from biaskit.sweeps.frame_tables import frames_table, seen_of, sweep_names, swept_table
from biaskit.sweeps.images import find_images
from biaskit.sweeps.jaggedness import jaggedness
from biaskit.sweeps.precision import flips_of_fast
from biaskit.sweeps.runner import sweep_chunks


def swept(folder, module, plan, *, batch=8, network=None, chunk=None):
    images = find_images(folder)
    chunks = [Chunk(0, tuple(images))] if chunk is None else chunk
    network = network or toy.network(module)
    setup = toy.setup(folder, plan, batch=batch)
    return list(sweep_chunks(setup, iter(chunks), network=network)), network, plan


def frames_of(found, network, plan):
    return frames_table(sweep_names("toy", "plain", plan), found, network.classes)


def jagged(folder, module, plan, **options):
    (found,), network, plan = swept(folder, module, plan, **options)
    frames = frames_of(found, network, plan)
    table = jaggedness(frames, n_classes=len(network.classes))
    return frames, table[table["lag"] == 1]


@pytest.fixture
def photographs(tmp_path):
    toy.photographs(tmp_path / "photos")
    return tmp_path / "photos"


def test_a_network_without_stride_and_with_circular_padding_is_not_jagged_under_roll(photographs):
    for direction in ("vertical", "horizontal", "diagonal"):
        plan = toy.plan("roll", direction=direction, steps=toy.SIZE, side=None)
        frames, table = jagged(photographs, toy.Circular(), plan)
        assert len(frames) == 5 * toy.SIZE
        for name in ("transitions", "p_top1_change", "mean_abs_change", "mean_abs_change_first"):
            assert (table[name] == 0).all()
        # It does tell images apart, so its constancy is not that of a blind network.
        assert frames["p_top1"].nunique() > 1


def test_a_network_that_answers_by_the_shifts_parity_jumps_at_every_step(tmp_path):
    (tmp_path / "white").mkdir()
    Image.new("RGB", (63, 33), "white").save(tmp_path / "white" / "n00000000_1.png")
    plan = toy.plan("embed", direction="horizontal", fill="black", steps=11)
    frames, table = jagged(tmp_path / "white", toy.Parity(), plan)
    assert sorted(set(frames["rank_true"])) == [1, 10]
    assert table["transitions"].tolist() == [10]
    assert table["p_top1_change"].tolist() == [1]


def test_a_constant_network_is_not_jagged_at_all(photographs):
    frames, table = jagged(photographs, toy.Constant(), toy.plan("embed", steps=9))
    for name in ("transitions", "p_top1_change", "mean_abs_change", "top5_distance"):
        assert (table[name] == 0).all()
    assert set(frames["top1"]) == {toy.CLASSES[0]}


def by_hand(path, module, plan, shift):
    "One frame the plain way: paste, to a tensor, a batch of one"
    image = Image.open(path)
    zoom = plan.longer_side / max(image.size)
    size = tuple(max(1, round(zoom * n)) for n in image.size)
    small = image.resize(size, Image.Resampling.BILINEAR)
    mean = np.round(np.asarray(small).mean(axis=(0, 1))).astype(int)
    frame = Image.new("RGB", (toy.SIZE, toy.SIZE), tuple(mean.tolist()))
    frame.paste(small, ((toy.SIZE - size[0]) // 2, (toy.SIZE - size[1]) // 2 + shift))
    pixels = torch.tensor(np.asarray(frame), dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.no_grad():
        return module(pixels).double()[0]


@pytest.mark.parametrize("batch", [1, 7, 8, 64])
def test_every_number_agrees_with_a_slow_way_that_shares_nothing(photographs, batch):
    module, plan = toy.Strided(), toy.plan("embed", fill="mean", steps=7)
    frames, table = jagged(photographs, module, plan, batch=batch)
    changes, same_at_2 = [], []
    for image_id, rows in frames.groupby("image_id", observed=True):
        tops, first = [], None
        for _, row in rows.iterrows():
            logits = by_hand(photographs / f"{image_id}.png", module, plan, int(row["dy"]))
            p, true = logits.softmax(0), toy.CLASSES.index(row["category"])
            order = logits.argsort(descending=True).tolist()
            first = order[0] if first is None else first
            tops.append(order[0])
            assert row["rank_true"] == order.index(true) + 1
            assert row["top1"] == toy.CLASSES[order[0]]
            assert row["top5"].split("|") == [toy.CLASSES[k] for k in order[:5]]
            # Sums of another order differ in the seventh digit.
            assert row["p_true"] == pytest.approx(float(p[true]), abs=2e-6)
            assert row["p_top1"] == pytest.approx(float(p.max()), abs=2e-6)
            assert row["p_first"] == pytest.approx(float(p[first]), abs=2e-6)
            others = max(float(z) for k, z in enumerate(logits) if k != true)
            assert row["margin"] == pytest.approx(float(logits[true]) - others, abs=2e-4)
            texts = [float(text) for text in row["p_top5"].split("|")]
            assert texts == pytest.approx([float(p[k]) for k in order[:5]], abs=6e-5)
        changes.append(np.mean([a != b for a, b in itertools.pairwise(tops)]))
        same_at_2.append(np.mean([a == b for a, b in zip(tops, tops[2:], strict=False)]))
    assert table["p_top1_change"].mean() == pytest.approx(np.mean(changes))
    assert np.mean(changes) > 0  # else the test would say nothing
    whole = jaggedness(frames, n_classes=10)
    assert whole.loc[whole["lag"] == 2, "consistency"].mean() == pytest.approx(np.mean(same_at_2))


def test_pairs_agree_with_windows_cut_by_hand(photographs):
    module, plan = toy.Strided(), toy.plan("pairs", pairs=3, side=None)
    frames, table = jagged(photographs, module, plan)
    side = round(toy.SIZE * 256 / 224)
    agree = []
    for (image_id, _), rows in frames.groupby(["image_id", "pass"], observed=True):
        image = Image.open(photographs / f"{image_id}.png")
        zoom = side / min(image.size)
        image = image.resize(
            [max(side, round(zoom * n)) for n in image.size], Image.Resampling.BILINEAR
        )
        left, top = ((n - side) // 2 for n in image.size)
        square = image.crop((left, top, left + side, top + side))
        tops = []
        for _, row in rows.iterrows():
            x, y = ((side - toy.SIZE) // 2 - int(row[name]) for name in ("dx", "dy"))
            pixels = np.asarray(square.crop((x, y, x + toy.SIZE, y + toy.SIZE)))
            tensor = torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)[None]
            with torch.no_grad():
                tops.append(int(module(tensor).argmax()))
        agree.append(tops[0] == tops[1])
    assert len(agree) == len(table) == 15
    assert table["consistency"].mean() == pytest.approx(np.mean(agree))


def test_batches_of_any_size_and_chunks_of_any_cut_give_the_same_tables(photographs):
    plan, images = toy.plan("embed", steps=7), find_images(photographs)
    whole, network, _ = swept(photographs, toy.Strided(), plan, batch=8)
    cut = [Chunk(0, tuple(images[:2])), Chunk(1, tuple(images[2:]))]
    parts, _, _ = swept(photographs, toy.Strided(), plan, batch=8, chunk=cut)
    frames = frames_of(whole[0], network, plan)
    together = [row for part in parts for row in frames_of(part, network, plan).to_numpy().tolist()]
    assert str(together) == str(frames.to_numpy().tolist())


def test_the_same_frame_in_shuffled_batches_gets_the_same_answer(photographs):
    "The numeric flip floor of the reference precision is 0"
    frames, table = jagged(photographs, toy.Strided(), toy.plan("repeat", steps=9), batch=8)
    assert len(frames) == 45
    assert (table["mean_abs_change"] == 0).all()
    assert (table["p_top1_change"] == 0).all()
    by_image = frames.groupby("image_id", observed=True)["p_true"].nunique()
    assert (by_image == 1).all()
    assert frames["p_true"].nunique() == 5  # and every image kept its own


def test_the_blank_image_on_its_own_colour_changes_nothing(photographs):
    _, table = jagged(photographs, toy.Strided(), toy.plan("blank", fill="mean", steps=9))
    assert (table["mean_abs_change"] == 0).all()


def test_a_batch_that_does_not_fit_is_halved_and_that_is_recorded(photographs):
    plan = toy.plan("embed", steps=7)
    (greedy,), network, _ = swept(photographs, toy.Greedy(), plan, batch=16)
    (calm,), _, _ = swept(photographs, toy.Strided(), plan, batch=4)
    assert greedy.batch == 4
    a, b = (frames_of(found, network, plan) for found in (greedy, calm))
    assert a.equals(b)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ],
)
def test_a_lack_of_memory_under_any_name_halves_the_batch(photographs, error):
    class Hungry(toy.Strided):
        def forward(self, x):
            if len(x) > 6:
                raise error
            return super().forward(x)

    (found,), _, _ = swept(photographs, Hungry(), toy.plan("embed", steps=7), batch=16)
    assert found.batch == 4


def test_another_failure_of_the_network_is_not_taken_for_a_lack_of_memory(photographs):
    class Failing(nn.Module):
        def forward(self, x):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        swept(photographs, Failing(), toy.plan("embed", steps=3))


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

    (found,), _, _ = swept(photographs, Hungry(), toy.plan("embed", steps=7), batch=16)
    assert found.batch == 4


def test_not_even_one_frame_fitting_is_said(photographs):
    class Huge(nn.Module):
        def forward(self, x):
            raise torch.OutOfMemoryError("no room")

    with pytest.raises(SweepError, match=r"^cpu: not even one frame at a time fits"):
        swept(photographs, Huge(), toy.plan("embed", steps=3), batch=2)


class Answering(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(len(x))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda n: torch.zeros(n, 9), "an array of shape (8, 9), expected (8, 10)."),
        (lambda n: torch.zeros(n, 10, 1), "an array of shape (8, 10, 1), expected (8, 10)."),
        (lambda n: torch.full((n, 10), torch.nan), "numbers that are not finite."),
    ],
)
def test_answers_that_are_none_are_refused(photographs, answer, words):
    with pytest.raises(NetworkError, match=re.escape(words)):
        swept(photographs, Answering(answer), toy.plan("embed", steps=4))


def test_ties_go_to_the_first_class(photographs):
    "All logits equal: the order is that of the classes, and the rank the class' own number"
    module = Answering(lambda n: torch.zeros(n, 10))
    (found,), network, plan = swept(photographs, module, toy.plan("embed", steps=3))
    frames = frames_of(found, network, plan)
    assert set(frames["top5"]) == {"|".join(toy.CLASSES[:5])}
    true = frames["category"].astype(str).map(toy.CLASSES.index) + 1
    assert (frames["rank_true"] == true).all()
    assert (frames["margin"] == 0).all()


def test_images_without_a_class_the_network_knows_have_no_rank(tmp_path):
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    frames, table = jagged(tmp_path, toy.Strided(), toy.plan("embed", steps=3))
    assert (frames["rank_true"] == 0).all()
    assert frames["p_true"].isna().all()
    assert table["transitions"].isna().all()
    assert table["p_top1_change"].notna().all()


def test_networks_of_two_classes_have_lists_of_two(photographs):
    module = Answering(lambda n: torch.tensor([[0.0, 1.0]]).expand(n, 2))
    network = toy.network(module, classes=toy.CLASSES[:2])
    frames, table = jagged(photographs, module, toy.plan("embed", steps=3), network=network)
    assert set(frames["top5"]) == {f"{toy.CLASSES[1]}|{toy.CLASSES[0]}"}
    assert table["transitions"].isna().all()


def test_what_cannot_be_read_is_listed_and_the_rest_goes_on(photographs):
    (photographs / "n00000001_9.jpg").write_bytes(b"no picture")
    (photographs / "n00000001_8.png").write_bytes(
        (photographs / "n00000000_0.png").read_bytes()[:300]
    )
    (found,), network, plan = swept(photographs, toy.Strided(), toy.plan("embed", steps=3))
    table = swept_table(sweep_names("toy", "plain", plan), found, seen_of("held out"))
    reasons = table.set_index("image_id")["reason"]
    assert reasons["n00000001_9"] == "no picture that can be read"
    assert reasons["n00000001_8"].startswith("broken picture")
    assert (reasons == "").sum() == 5
    assert table.loc[table["reason"] == "", "n_frames"].tolist() == [3] * 5
    assert set(table["seen"]) == {"held out"}
    assert len(frames_of(found, network, plan)) == 15


def test_a_chunk_with_nothing_to_show_is_an_empty_table(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    (found,), network, plan = swept(tmp_path, toy.Strided(), toy.plan("embed", steps=3))
    assert frames_of(found, network, plan).empty


def test_a_file_that_vanished_is_listed(photographs):
    images = find_images(photographs)
    (photographs / images[0].file).unlink()
    chunk = [Chunk(0, tuple(images))]
    (found,), _, _ = swept(photographs, toy.Strided(), toy.plan("embed", steps=3), chunk=chunk)
    assert [reason for _, _, reason in found.refused] == [
        "cannot be read: No such file or directory"
    ]


def test_a_film_longer_than_a_piece_is_one_sequence(tmp_path):
    rng = np.random.default_rng(0)
    film = tmp_path / "film"
    film.mkdir()
    for number in range(70):
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(film / f"{number}.png")
    from biaskit.sweeps.images import ImageFile

    chunk = [Chunk(0, (ImageFile("film", "film", toy.CLASSES[0]),))]
    (found,), network, plan = swept(tmp_path, toy.Strided(), toy.plan("film"), chunk=chunk)
    frames = frames_of(found, network, plan)
    assert frames["step"].tolist() == list(range(70))
    # The class of the film's first frame, in every piece.
    first = frames["top1"].iloc[0]
    same = frames["top1"] == first
    assert np.allclose(frames.loc[same, "p_first"], frames.loc[same, "p_top1"])
    assert len(frames) == 70


def test_the_next_images_are_made_while_the_network_works(photographs):
    "Windows are cut from one canvas per image: no more than some images are ever ready"
    batcher = Batcher(
        lambda x: torch.zeros(len(x), 10),
        toy.network(toy.Constant()).preprocessing,
        n_classes=10,
        device="cpu",
        batch=4,
    )
    assert batcher.finish().top.shape == (0, 5)


@pytest.mark.skipif(not torch.cpu._is_avx512_bf16_supported(), reason="no bf16 in this processor")
def test_flips_of_the_fast_way_are_counted(photographs):
    plan = toy.plan("embed", steps=7)
    network, setup = toy.network(toy.Strided()), toy.setup(photographs, plan)
    flips = flips_of_fast(setup, network, Chunk(0, tuple(find_images(photographs))))
    assert flips["frames"] == 35
    assert 0 <= flips["in_top5"] <= flips["top5"] <= 1


def test_chunks_do_not_depend_on_who_does_them(photographs):
    images, plan = find_images(photographs), toy.plan("embed", steps=33, side=None, input_size=224)
    many = images * 200  # 1,000
    chunks = cut_chunks(many, plan, 33, {})
    assert [image for chunk in chunks for image in chunk.images] == many
    assert {len(chunk.images) for chunk in chunks[:-1]} == {16}
    shards = [of_shard(chunks, (k, 3)) for k in (1, 2, 3)]
    assert sorted(chunk.number for shard in shards for chunk in shard) == list(range(len(chunks)))
    assert len(cut_chunks(many * 50, plan, 33, {})) <= 257


def test_batches_hold_whole_sequences_where_they_can():
    assert usual_batch("cpu", 33) == 33
    assert usual_batch("cuda:1", 33) % 33 == 0
    assert usual_batch("cpu", 1089) == 32


@pytest.mark.parametrize("text", ["0/3", "4/3", "a/b", "2", "-1/3", "1/0"])
def test_a_shard_that_is_none_is_refused(text):
    with pytest.raises(SweepError, match=f"^--shard {re.escape(text)}: expected I/N"):
        read_shard(text)
