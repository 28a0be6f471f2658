"""
The harmonic fill: the smoothest surround an image can have, without an edge and without streaks.

Every pixel outside the image is the mean of its neighbours (Laplace's equation), the image's rim
is given, and nothing flows across the canvas' border. It is solved exactly on a grid of a quarter
of the size, enlarged, and evened out by some steps at full size.

On the coarse grid the solution is that of charges on the image's outline: u = A q + c, where A is
the inverse Laplacian, which the discrete cosine transform gives at once. The charges that make u
equal to the image along the outline are found by conjugate gradients.
"""

from collections.abc import Callable

import cv2
import numpy as np
from scipy.fft import dctn, idctn

__all__ = ["fill_harmonic", "harmonic_outside"]

Array = np.ndarray
COARSE = 4  # px of the canvas per cell of the coarse grid
LEAST_CELLS = 3  # an image thinner than this on the coarse grid is solved at full size
EVENING = 8  # steps at full size
TOLERANCE = 0.1  # grey levels along the outline
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def fill_harmonic(image: Array, size: tuple[int, int], place: tuple[int, int, int, int]) -> Array:
    """
    Return a canvas whose pixels around the image are harmonic.

    Parameters
    ----------
    image : uint8 array, shape (h, w, 3)
    size : two ints
        Height and width of the canvas, px.
    place : four ints
        Top, left, height and width of the image on the canvas, px.

    Returns
    -------
    uint8 array, shape (height, width, 3)
        The image's place holds its own pixels.

    Examples
    --------
    A grey image can only be surrounded by the same grey:

    >>> grey = np.full((40, 60, 3), 90, np.uint8)
    >>> np.unique(fill_harmonic(grey, (128, 128), (10, 20, 40, 60))).tolist()
    [90]
    """
    top, left, height, width = place
    inside = np.s_[top : top + height, left : left + width]
    canvas: Array = np.zeros((*size, 3), np.float32)
    canvas[inside] = image
    factor = COARSE if _cells(top, height) and _cells(left, width) else 1
    coarse = _coarse(canvas, place, factor)
    large = cv2.resize(coarse, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    canvas = np.ascontiguousarray(large[: size[0], : size[1]])
    canvas[inside] = image
    for _ in range(EVENING if factor > 1 else 0):
        canvas = cv2.filter2D(canvas, -1, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)
        canvas[inside] = image
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _cells(first: int, length: int) -> bool:
    """Tell whether enough coarse cells lie wholly within the image along one axis."""
    return (first + length) // COARSE - -(-first // COARSE) >= LEAST_CELLS


def _coarse(canvas: Array, place: tuple[int, int, int, int], factor: int) -> Array:
    top, left, height, width = place
    rows, columns = (-(-side // factor) for side in canvas.shape[:2])
    padding = (rows * factor - canvas.shape[0], columns * factor - canvas.shape[1])
    padded = cv2.copyMakeBorder(canvas, 0, padding[0], 0, padding[1], cv2.BORDER_REPLICATE)
    cells = padded.reshape(rows, factor, columns, factor, 3).mean(axis=(1, 3))
    low = (-(-top // factor), -(-left // factor))
    high = ((top + height) // factor, (left + width) // factor)
    return harmonic_outside(cells, low, high).astype(np.float32)


def harmonic_outside(values: Array, low: tuple[int, int], high: tuple[int, int]) -> Array:
    """
    Solve Laplace's equation outside a rectangle of a grid.

    Parameters
    ----------
    values : float array, shape (rows, columns, k)
        Read within the rectangle only.
    low, high : two ints
        First row and column of the rectangle, and those behind its last.

    Returns
    -------
    float array, shape (rows, columns, k)
        Within the rectangle the values as they are; outside, each cell the mean of its
        neighbours, those beyond the border mirrored.

    References
    ----------
    Y. Saad, "Iterative methods for sparse linear systems", 2003, section 6.7 (conjugate gradients).

    Examples
    --------
    In one dimension nothing flows out, so all is level:

    >>> line = np.zeros((1, 6, 1)); line[0, 2:4, 0] = [3.0, 5.0]
    >>> harmonic_outside(line, (0, 2), (1, 4))[0, :, 0].round(6).tolist()
    [3.0, 3.0, 3.0, 5.0, 5.0, 5.0]
    """
    shape = values.shape[:2]
    rectangle = np.zeros(shape, bool)
    rectangle[low[0] : high[0], low[1] : high[1]] = True
    if rectangle.all():
        return values.copy()
    core = np.zeros(shape, bool)
    core[low[0] + 1 : high[0] - 1, low[1] + 1 : high[1] - 1] = True
    outline = np.flatnonzero(rectangle & ~core)
    given = values.reshape(-1, values.shape[2]).T[:, outline].astype(float)
    inverse = 1 / _eigenvalues(shape)

    def potential(charges: Array) -> Array:
        field = np.zeros((len(charges), *shape))
        field.reshape(len(charges), -1)[:, outline] = charges
        turned = dctn(field, axes=(1, 2), norm="ortho", overwrite_x=True) * inverse
        return idctn(turned, axes=(1, 2), norm="ortho", overwrite_x=True)

    def along(field: Array) -> Array:
        return _centred(field.reshape(len(field), -1)[:, outline])

    charges = _conjugate_gradients(lambda q: along(potential(q)), _centred(given))
    field = potential(charges)
    level = (given - field.reshape(len(field), -1)[:, outline]).mean(axis=1)
    found = np.moveaxis(field + level[:, None, None], 0, -1)
    return np.where(rectangle[..., None], values, found)


def _eigenvalues(shape: tuple[int, ...]) -> Array:
    """Eigenvalues of the grid's Laplacian without flow across the border; infinite for the mean."""
    rows, columns = (2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in shape)
    found = rows[:, None] + columns
    found[0, 0] = np.inf
    return found


def _centred(values: Array) -> Array:
    return values - values.mean(axis=1, keepdims=True)


def _conjugate_gradients(apply: Callable[[Array], Array], target: Array) -> Array:
    """Solve apply(x) = target for each row by itself; apply is symmetric and positive."""
    found, residual = np.zeros_like(target), target.copy()
    step, squared = residual.copy(), (residual * residual).sum(axis=1)
    enough = TOLERANCE**2 * target.shape[1]
    for _ in range(4 * target.shape[1]):
        if (squared <= enough).all():
            break
        turned = apply(step)
        length = squared / np.maximum((step * turned).sum(axis=1), 1e-300)
        found += length[:, None] * step
        residual -= length[:, None] * turned
        before, squared = squared, (residual * residual).sum(axis=1)
        step = residual + (squared / np.maximum(before, 1e-300))[:, None] * step
    return found
