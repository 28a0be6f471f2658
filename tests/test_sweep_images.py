"""Photographs as they lie on disks: broken, turned, deep, tiny, huge, misnamed."""

import contextlib
import io
import os
import re

import numpy as np
import pytest
from PIL import Image

from biaskit.errors import SweepError
from biaskit.sweeps import images
from biaskit.sweeps.images import ImageFile, draw_images, find_images, open_photograph, seen_by_name


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def picture():
    "Left half red, right half blue; 60 x 40 px"
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30, 0], pixels[:, 30:, 2] = 255, 255
    return Image.fromarray(pixels)


def test_a_png_named_jpeg_is_read_for_what_it_is(picture):
    assert np.array_equal(open_photograph(saved(picture, "PNG")), np.asarray(picture))


def test_cmyk_becomes_rgb(picture):
    found = open_photograph(saved(picture.convert("CMYK"), "JPEG", quality=100))
    assert found.shape == (40, 60, 3)
    # Red stays red: an inverted CMYK would be cyan.
    assert (found[20, 5] > [200, -1, -1]).all()
    assert (found[20, 5] < [256, 60, 60]).all()


def test_exif_orientation_is_applied(picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    found = open_photograph(saved(picture, "JPEG", quality=100, exif=exif))
    assert found.shape == (60, 40, 3)
    assert found[2, 20, 0] > 200  # what was left is now at the top
    assert found[-3, 20, 2] > 200


def test_sixteen_bits_of_grey_keep_their_upper_eight():
    "Pillow's own conversion would clip them to white"
    deep = Image.fromarray(np.full((20, 20), 128 * 256 + 7, np.uint16))
    assert (open_photograph(saved(deep, "PNG")) == 128).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1"])
def test_other_modes_become_rgb(picture, mode):
    assert open_photograph(saved(picture.convert(mode), "PNG")).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no picture that can be read"),
        (b"<html>404</html>", "no picture that can be read"),
        (b"\xff\xd8\xff\xe0broken", "broken picture: Truncated File Read"),
    ],
)
def test_what_is_no_picture_is_said_to_be_none(data, reason):
    with pytest.raises(SweepError, match=f"^{re.escape(reason)}$"):
        open_photograph(data)


def test_a_truncated_jpeg_is_no_half_picture(picture):
    whole = saved(picture.resize((600, 400)), "JPEG")
    with pytest.raises(SweepError, match=r"^broken picture: .*truncated"):
        open_photograph(whole[: len(whole) // 2])


def test_a_picture_of_one_pixel_is_too_small():
    with pytest.raises(SweepError, match=r"^1 x 1 px, a side of less than 8 px$"):
        open_photograph(saved(Image.new("RGB", (1, 1)), "PNG"))


def test_a_picture_of_a_hundred_million_pixels_is_read_and_a_bomb_is_not(monkeypatch):
    large = saved(Image.new("L", (10_000, 10_000), 9), "PNG")
    assert open_photograph(large).shape == (10_000, 10_000, 3)
    monkeypatch.setattr(images, "MAX_PIXELS", 99_999_999)
    with pytest.raises(SweepError, match=r"^10000 x 10000 px, more than 99,999,999 pixels$"):
        open_photograph(large)


def test_pillows_own_limit_is_no_traceback():
    header = saved(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(
        SweepError, match=r"no picture that can be read|more than 178,956,970 pixels"
    ):
        open_photograph(header)


def test_a_strip_is_refused_before_it_grows(picture):
    with pytest.raises(SweepError, match=r"^8 x 2000 px, a strip of more than 50 to 1$"):
        open_photograph(saved(Image.new("RGB", (8, 2000)), "PNG"))


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_floating_point_pixels_are_refused_not_black(value):
    deep = Image.fromarray(np.full((20, 20), value, np.float32))
    with pytest.raises(SweepError, match=r"^floating-point pixels"):
        open_photograph(saved(deep, "TIFF"))


def test_pixels_of_32_bits_are_refused_not_white():
    deep = Image.fromarray(np.full((20, 20), 200_000, np.int32))
    with pytest.raises(SweepError, match=r"^32-bit pixels"):
        open_photograph(saved(deep, "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP"])
def test_flipped_bytes_end_in_a_picture_or_a_reason(picture, kind):
    "Pillow's readers raise nearly anything: TypeError, struct.error, ..."
    exif = Image.Exif()
    exif[0x0112] = 3
    whole = np.frombuffer(saved(picture, kind, exif=exif), np.uint8)
    rng = np.random.default_rng(11)
    for _ in range(300):
        broken = whole.copy()
        places = rng.integers(0, len(whole), rng.integers(1, 5))
        broken[places] = rng.integers(0, 256, len(places))
        with contextlib.suppress(SweepError):  # anything else fails the test
            assert open_photograph(broken.tobytes()).ndim == 3


def tree(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def test_classes_come_from_folders_then_names(tmp_path):
    tree(tmp_path, "n02097474-Tibetan_terrier/a.jpg", "zebra/b.JPG", "n01440764_5.JPEG", "c.png")
    found = {image.image_id: image.category for image in find_images(tmp_path)}
    assert found == {"a": "n02097474", "b": "zebra", "n01440764_5": "n01440764", "c": ""}


def test_a_labels_file_in_the_folder_goes_before_names(tmp_path):
    tree(tmp_path, "n01440764_5.JPEG", "c.png")
    (tmp_path / "labels.csv").write_text("file,label\nn01440764_5.JPEG,cat\nc.png,dog\n")
    assert [image.category for image in find_images(tmp_path)] == ["dog", "cat"]


def test_labels_that_name_none_of_the_photographs_are_refused(tmp_path):
    tree(tmp_path, "a.jpg")
    (tmp_path / "labels.csv").write_text("image_id,wnid\nb,cat\n")
    message = (
        "labels.csv: names none of the 1 photographs; its first name is 'b', "
        "the first photograph 'a'."
    )
    with pytest.raises(SweepError, match=f"^{re.escape(message)}$"):
        find_images(tmp_path)


def test_files_that_share_a_name_are_told_apart_by_their_folders(tmp_path):
    tree(tmp_path, "cat/1.jpg", "dog/1.jpg", "dog/2.jpg", ".hidden/3.jpg", "dog/.4.jpg")
    assert [image.image_id for image in find_images(tmp_path)] == ["2", "cat/1", "dog/1"]


def test_labels_of_files_that_share_a_name_go_by_their_folders(tmp_path):
    tree(tmp_path, "x/1.png", "y/1.png")
    (tmp_path / "labels.csv").write_text("file,label\nx/1.png,cat\ny/1.png,dog\n")
    found = {image.image_id: image.category for image in find_images(tmp_path)}
    assert found == {"x/1": "cat", "y/1": "dog"}
    (tmp_path / "labels.csv").write_text("file,label\nx/1.png,cat\nx/1.png,dog\n")
    message = "labels.csv: row 3 gives 'x/1' the class 'dog', an earlier one 'cat'."
    with pytest.raises(SweepError, match=f"^{re.escape(message)}$"):
        find_images(tmp_path)


def test_files_that_differ_in_their_ending_only_keep_it(tmp_path):
    tree(tmp_path, "a.jpg", "a.png", "b.png")
    assert [image.image_id for image in find_images(tmp_path)] == ["a.jpg", "a.png", "b"]


def test_a_name_that_is_not_utf8_is_refused_with_its_name(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    with pytest.raises(SweepError, match=r"caf.udce9.png': a file name that is not UTF-8"):
        find_images(tmp_path)


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(SweepError, match=r"no photograph; names end in one of .jpg"):
        find_images(tmp_path)


def test_one_more_image_changes_no_others_luck():
    files = [ImageFile(f"{k}.jpg", f"{k}", "") for k in range(50)]
    drawn = draw_images(files, 20, seed=5)
    more = draw_images([*files, ImageFile("new.jpg", "new", "")], 20, seed=5)
    assert len(set(drawn) ^ set(more)) in (0, 2)
    assert draw_images(files, 20, seed=6) != drawn


def test_only_the_names_of_imagenets_held_out_images_say_so():
    assert seen_by_name("ILSVRC2012_val_00000001") == "held out"
    assert seen_by_name("n02123159_1") == "unknown"
