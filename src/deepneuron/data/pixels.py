"""Arrays of any numbers become pictures: uint8, where 0 is black and 255 is full.

    bool, whole numbers 0 and 1     x * 255
    whole numbers from 0 to 255     x
    whole numbers up to 65535       x / 257, rounded: 16 bits become 8
    floats from 0 to 1              x * 255, rounded
    floats from 0 to 255            x, rounded

One rule for all parts of a data set, chosen by the smallest and largest value in any.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepneuron.data.findings import Findings
from deepneuron.errors import DataError

_CHUNK = 1 << 22  # values that are converted at a time
_SLACK = 1e-3  # what rounding in float16 may add to 1


def to_pixels(
    arrays: Mapping[str, np.ndarray], findings: Findings
) -> dict[str, np.ndarray]:
    """The arrays as pictures, by one rule for all of them; uint8 pictures stay as is.

    Args:
        arrays: by their names; each (rows, height, width) or (rows, height, width,
            channels) with 1 (grey), 3 (RGB) or 4 channels (RGBA, laid over white).
        findings: receives how the values were converted.

    Raises:
        DataError: another shape or type, NaN, or values outside of every range.

    >>> findings = Findings("tiny.npz", strict=False)
    >>> to_pixels({"x": np.array([[[0.0, 0.5, 1.0]]])}, findings)["x"]
    array([[[  0, 128, 255]]], dtype=uint8)
    >>> findings.skipped()[0].reason
    'its values from 0 to 1 were multiplied by 255 and rounded'
    """
    source = findings.source
    for name, x in arrays.items():
        _check_shape(name, x, source)
        if x.dtype.kind not in "buif":
            raise DataError(
                f"{name} in {source} holds {x.dtype}; pictures are numbers, best uint8 "
                "from 0 to 255."
            )
    full = {name: x for name, x in arrays.items() if x.size}
    if not full:
        return {name: x.astype(np.uint8) for name, x in arrays.items()}
    kinds = {x.dtype.kind in "bui" for x in full.values()}
    if len(kinds) > 1:
        types = ", ".join(f"{name} {x.dtype}" for name, x in full.items())
        raise DataError(
            f"{source} mixes whole numbers and floats ({types}), so it is unclear how "
            "bright a full pixel is. Store all parts in one type."
        )
    low = min(float(x.min()) for x in full.values())
    high = max(float(x.max()) for x in full.values())
    if not np.isfinite([low, high]).all():
        name = next(n for n, x in full.items() if not np.isfinite(x).all())
        raise DataError(
            f"{name} in {source} holds NaN or infinity, which is no brightness. Remove "
            "these pictures, or replace the values."
        )
    whole = kinds == {True}
    factor, how = _choose_factor(low, high, whole=whole, source=source)
    if not whole or factor != 1:
        findings.note(
            ", ".join(full),
            f"its values from {low:g} to {high:g} were {how}",
            harmless=True,
        )
    return {name: _over_white(_convert(x, factor)) for name, x in arrays.items()}


def _check_shape(name: str, x: np.ndarray, source: str) -> None:
    if x.ndim == 2:
        side = round(x.shape[1] ** 0.5)
        square = side * side == x.shape[1]
        advice = f" Perhaps x.reshape(-1, {side}, {side})?" if square else ""
        raise DataError(
            f"{name} in {source} has shape {x.shape}, flat rows; pictures are (rows, "
            f"height, width), with channels behind if in colour.{advice}"
        )
    if x.ndim == 4 and x.shape[3] not in {1, 3, 4} and x.shape[1] in {1, 3, 4}:
        raise DataError(
            f"{name} in {source} has shape {x.shape}, channels first; they belong "
            "behind: np.moveaxis(x, 1, -1)."
        )
    if x.ndim not in {3, 4} or (x.ndim == 4 and x.shape[3] not in {1, 3, 4}):
        raise DataError(
            f"{name} in {source} has shape {x.shape}; pictures are (rows, height, "
            "width), or (rows, height, width, channels) with 1 or 3 channels."
        )
    if 0 in x.shape[1:]:
        raise DataError(f"{name} in {source} has shape {x.shape}: no pixels.")


def _choose_factor(
    low: float, high: float, *, whole: bool, source: str
) -> tuple[float, str]:
    """What the values are multiplied by before they are rounded, and that in words."""
    if low < -_SLACK:
        raise DataError(
            f"{source} holds values from {low:g} to {high:g}; a pixel lies between 0 "
            "and 255 (or 0 and 1). Shift and scale them first."
        )
    if 0 < high <= (1 if whole else 1 + _SLACK):
        return 255.0, "multiplied by 255" + ("" if whole else " and rounded")
    if high <= (255 if whole else 255 * (1 + _SLACK)):
        return 1.0, "rounded"
    if whole and high <= 65535:
        return 1 / 257, "divided by 257 (16 bits become 8) and rounded"
    raise DataError(
        f"{source} holds values up to {high:g}; a pixel lies between 0 and 255 (or 0 "
        "and 1). Scale them first."
    )


def _convert(x: np.ndarray, factor: float) -> np.ndarray:
    """rint(x * factor) as uint8, in chunks: floats are eight times as large."""
    if factor == 1 and x.dtype == np.uint8:
        return x
    pixels = np.empty(x.shape, np.uint8)
    step = max(1, _CHUNK // max(1, int(np.prod(x.shape[1:]))))
    for start in range(0, len(x), step):
        rows = x[start : start + step].astype(np.float64)
        rows *= factor
        # Half goes up, as a reader rounds; np.rint would send 0.5 to 0.
        np.floor(rows + 0.5, out=rows)
        pixels[start : start + step] = np.clip(rows, 0, 255)
    return pixels


def _over_white(x: np.ndarray) -> np.ndarray:
    """RGBA over white: alpha * rgb + (1 - alpha) * 255; other pictures as they are."""
    if x.ndim != 4 or x.shape[3] != 4:
        return x
    laid = np.empty((*x.shape[:3], 3), np.uint8)
    for row, picture in enumerate(x):
        rgb, alpha = (
            picture[..., :3].astype(np.int32),
            picture[..., 3:].astype(np.int32),
        )
        laid[row] = (rgb * alpha + 255 * (255 - alpha) + 127) // 255
    return laid
