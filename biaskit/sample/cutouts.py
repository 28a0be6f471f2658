"""
The four objects cut out of scikit-image's photographs: colours, how opaque, where the object is.

The photographs are read from the installed wheel as files. scikit-image's own functions would
do the same, but fetch from the network what a build has left out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np
from PIL import Image
from scipy import ndimage

__all__ = ["CutOut", "cut_outs", "missing_photographs", "open_photograph"]

Array = np.ndarray
_INSTALL = 'Install it with: pip install "biaskit[sample]"'
_RIM = 110  # px of the photograph: how far its colours are continued around the cat
# Masks and marks are in pixels of exactly these files.
_SHA256 = {
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "motorcycle_left.png": "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    "motorcycle_disp.npz": "2e49c8cebff3fa20359a0cc6880c82e1c03bbb106da81a177218281bc2f113d7",
}


@dataclass(frozen=True)
class CutOut:
    """
    An object without its background.

    Attributes
    ----------
    wnid, word : str
        ImageNet's category.
    rgba : uint8 array, shape (height, width, 4)
        Colours of the photograph, and how opaque each pixel is.
    box : tuple of four floats
        x_min, y_min, x_max, y_max of the object, px of ``rgba``, outer edges.
    photograph : uint8 array, shape (height, width, 3)
        What it was cut from, for backgrounds in its colours.
    shadow : float
        Darkness of the shadow it throws on its background, 0 to 1.
    points : mapping of str to (x, y)
        Named points, px of ``rgba``, (0, 0) its outer corner.
    """

    wnid: str
    word: str
    rgba: Array
    box: tuple[float, float, float, float]
    photograph: Array
    shadow: float = 0.0
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def missing_photographs() -> str:
    """Say why the photographs are not to be had, with the line to type; empty if they are."""
    what = "photographs, eye marks and film were left out:"
    try:
        folder = _data_folder()
    except ImportError:
        return f"{what} scikit-image is not installed. {_INSTALL}"
    for name, sha256 in _SHA256.items():
        file = folder / name
        if not file.is_file():
            return f"{what} the installed scikit-image has no {name}. {_INSTALL}"
        if hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            return f"{what} {name} of the installed scikit-image is another one. {_INSTALL}"
    return ""


def open_photograph(name: str) -> Array:
    """Read a photograph of the wheel as a uint8 array of shape (height, width, 3)."""
    with (_data_folder() / name).open("rb") as file, Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def cut_outs() -> tuple[CutOut, ...]:
    """Return the four objects, in the order of their wnids."""
    return _cat(), _missile(), _moped(), _espresso()


def _data_folder() -> Traversable:
    return resources.files("skimage") / "data"


def _cat() -> CutOut:
    photograph = open_photograph("chelsea.png")
    # The photograph cuts ears and chest. So the head goes out of focus towards its edges,
    # and what lies beyond them continues their colours, as if nearer things were sharp only.
    padded = np.pad(photograph, ((_RIM, _RIM), (_RIM, _RIM), (0, 0)), mode="edge")
    soft = ndimage.gaussian_filter(padded.astype(float), (9, 9, 0), mode="nearest")
    y, x = (centres - _RIM for centres in _pixel_centres(padded))
    outside = ((x - 196) / 190) ** 4 + ((y - 150) / 149) ** 4
    sharp = (1 - _smooth_step(outside, 0.45, 1.0))[..., None]
    colours = np.rint(sharp * padded + (1 - sharp) * soft).astype(np.uint8)
    rim = np.hypot((x - 205) / (205 + _RIM), (y - 150) / (150 + _RIM))
    return CutOut(
        "n02123159",
        "tiger cat",
        _with_alpha(colours, 1 - _smooth_step(rim, 0.55, 1.0)),
        (20.0 + _RIM, 12.0 + _RIM, 366.0 + _RIM, 288.0 + _RIM),
        photograph,
        # Middles of the pupils; left and right are the cat's own.
        points={
            "left_eye": (313.0 + _RIM, 130.5 + _RIM),
            "right_eye": (171.5 + _RIM, 110.5 + _RIM),
        },
    )


def _espresso() -> CutOut:
    photograph = open_photograph("coffee.png")
    y, x = _pixel_centres(photograph)
    saucer = _ellipse(x, y, centre=(279, 222), radii=(200.5, 170), turn=0.06)
    cup = _ellipse(x, y, centre=(291, 112), radii=(118, 96), turn=0.02)
    spoon = _ellipse(x, y, centre=(411, 88), radii=(14, 22), turn=0.35)
    alpha = np.maximum.reduce([saucer, cup, spoon])
    return CutOut(
        "n07920052", "espresso", _with_alpha(photograph, alpha), _extent(alpha), photograph, 0.5
    )


def _missile() -> CutOut:
    photograph = open_photograph("rocket.jpg")[:, 230:410]
    y, x = _pixel_centres(photograph)
    x = x + 230
    # The rocket is what differs from the empty sky beside it in the same row.
    sky = np.median(photograph[:, 5:50].astype(float), axis=1, keepdims=True)
    difference = np.abs(photograph - sky).max(axis=-1)
    # Above, the rocket alone; below, what holds it, as far as the lamp on the right.
    upper, lower = (x > 305) & (x < 338), (x > 291) & (x < 345) & (y > 332)
    place = (upper | lower) & (y > 124) & (y < 406)
    body = (np.abs(x - 321.5) <= 9) & (y > 150) & (y < 405)
    alpha = np.maximum(_smooth_step(difference, 10, 34), body) * place
    alpha *= 1 - _smooth_step(y, 398, 406)
    return CutOut(
        "n03773504", "missile", _with_alpha(photograph, alpha), _extent(alpha), photograph
    )


def _moped() -> CutOut:
    photograph = open_photograph("motorcycle_left.png")
    with (_data_folder() / "motorcycle_disp.npz").open("rb") as file, np.load(file) as data:
        disparity = data["arr_0"].astype(float)
    y, x = _pixel_centres(photograph)
    # Nearer than the wall, and nearer than the floor of that row: a plane through points
    # read off beside the motorcycle. Disparity grows towards the camera.
    floor = 22.6 + 0.1795 * (y - 300) - 0.0024 * (x - 370)
    near = np.isfinite(disparity) & (disparity > np.maximum(33, floor + 1.5))
    near = ndimage.binary_closing(near, iterations=2)
    names, _ = ndimage.label(near)
    largest = names == 1 + np.argmax(np.bincount(names.ravel())[1:])
    # Slightly in from the rim, where pixels mix with the garage behind.
    alpha = _smooth_step(ndimage.gaussian_filter(largest.astype(float), 0.9), 0.4, 0.9)
    return CutOut(
        "n03785016", "moped", _with_alpha(photograph, alpha), _extent(alpha), photograph, 0.55
    )


def _pixel_centres(photograph: Array) -> tuple[Array, Array]:
    height, width = photograph.shape[:2]
    return np.arange(height)[:, None] + 0.5, np.arange(width)[None, :] + 0.5


def _smooth_step(value: Array, low: float, high: float) -> Array:
    """Rise from 0 at ``low`` to 1 at ``high``, level at both ends."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _ellipse(
    x: Array, y: Array, *, centre: tuple[float, float], radii: tuple[float, float], turn: float
) -> Array:
    """Return 1 within an ellipse turned clockwise by ``turn`` radians, soft over two pixels."""
    right, down = x - centre[0], y - centre[1]
    along = right * np.cos(turn) + down * np.sin(turn)
    across = down * np.cos(turn) - right * np.sin(turn)
    radius = np.hypot(along / radii[0], across / radii[1])
    return 1 - _smooth_step((radius - 1) * min(radii), -2, 0)


def _extent(alpha: Array) -> tuple[float, float, float, float]:
    rows = np.flatnonzero((alpha > 0.5).any(axis=1))
    columns = np.flatnonzero((alpha > 0.5).any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _with_alpha(photograph: Array, alpha: Array) -> Array:
    opaque = np.rint(255 * np.broadcast_to(alpha, photograph.shape[:2])).astype(np.uint8)
    return np.dstack([photograph, opaque])
