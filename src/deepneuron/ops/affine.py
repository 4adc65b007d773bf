"""Pictures that are turned, shifted and sheared: each pixel of y is fetched from x."""

from __future__ import annotations

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op

# Whole numbers: no gradient goes to them. tests/ops/test_image.py has all others.
_TURN = np.array([[2, -1, 1, 1, 1, -2, 0, 0], [1, 0, 2, 0, 1, 0, 0, 0]])
_MODES = [
    {"fill_mode": m} for m in ("constant", "nearest", "wrap", "mirror", "reflect")
]
_AT_ONCE = 1 << 14  # pixels: what is computed for them stays in the cache


@op
class affine(Op):
    """y[n, i, j] = x[n, b0 j + b1 i + b2, a0 j + a1 i + a2]

    The place lies between four pixels, whose mean counts, nearer ones more; or the
    nearest counts alone.

    x: (n, height, width, channels);  transform: (n, 8), a0 a1 a2 b0 b1 b2 and two zeros
    """

    cases = tuple(
        Case((2, 4, 5, 3), _TURN, **attrs)
        for attrs in (*_MODES, {"interpolation": "nearest"}, {"fill_value": 0.5})
    )

    def infer(
        self,
        x,
        transform,
        /,
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=0.0,
    ):
        return Spec(tuple(x.shape), x.dtype)

    def forward(
        self,
        x,
        transform,
        /,
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=0.0,
        out=None,
    ):
        out = np.empty(x.shape, x.dtype) if out is None else out
        for part in _parts(x.shape):
            pixels = x[part].reshape(-1, x.shape[-1])  # (n height width, channels)
            y = 0
            for place, weight, inside in _sources(
                transform, x, part, interpolation, fill_mode
            ):
                value = np.take(pixels, place, axis=0, mode="clip")
                if inside is not None:
                    fill = x.dtype.type(fill_value)
                    value = np.where(inside[..., None], value, fill)
                y = y + weight[..., None] * value
            out[part] = _half_away(y) if x.dtype.kind in "iu" else y
        return out

    def gradient(self, node, dy):
        _, transform = node.inputs
        attrs = {k: v for k, v in node.attrs.items() if k != "fill_value"}
        return affine_grad(dy, transform, **attrs), None


@op
class affine_grad(Op):
    """dx: each pixel of dy goes back to where it came from"""

    cases = tuple(
        Case((2, 4, 5, 3), _TURN, **attrs)
        for attrs in (*_MODES, {"interpolation": "nearest"})
    )

    def infer(self, dy, transform, /, interpolation="bilinear", fill_mode="constant"):
        return Spec(tuple(dy.shape), dy.dtype)

    def forward(
        self,
        dy,
        transform,
        /,
        interpolation="bilinear",
        fill_mode="constant",
        out=None,
    ):
        out = np.empty(dy.shape, dy.dtype) if out is None else out
        out[...] = 0
        channels = dy.shape[-1]
        for part in _parts(dy.shape):
            dx = out[part].reshape(-1, channels)
            for place, weight, inside in _sources(
                transform, dy, part, interpolation, fill_mode
            ):
                share = weight if inside is None else weight * inside
                sent = (share[..., None] * dy[part]).astype(dy.dtype, copy=False)
                np.add.at(dx, place.ravel(), sent.reshape(-1, channels))
        return out

    def gradient(self, node, dd):
        _, transform = node.inputs
        return affine(dd, transform, **node.attrs), None


# --- where a pixel comes from


def _parts(shape):
    """A few pictures at a time, so that memory does not grow with the batch."""
    n, height, width, _ = shape
    step = max(1, _AT_ONCE // max(1, height * width))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def _sources(transform, x, part, interpolation, fill_mode):
    """For every neighbour that counts: (its number, its weight, whether it exists)

    Each (n, height, width). Pixels are numbered through all pictures of the part;
    `inside` is None where every neighbour exists.
    """
    n, height, width = part.stop - part.start, x.shape[1], x.shape[2]
    dtype = np.result_type(x.dtype, np.float32)
    m = np.broadcast_to(transform, (x.shape[0], 8))[part].astype(dtype).T
    a0, a1, a2, b0, b1, b2 = (row[:, None, None] for row in m[:6])  # (n, 1, 1)
    i = np.arange(height, dtype=dtype)[:, None]  # (height, 1)
    j = np.arange(width, dtype=dtype)
    first = np.arange(n)[:, None, None] * (height * width)
    rows = _neighbours(b0 * j + b1 * i + b2, height, interpolation, fill_mode)
    columns = list(_neighbours(a0 * j + a1 * i + a2, width, interpolation, fill_mode))
    for row, row_weight, row_inside in rows:
        for column, column_weight, column_inside in columns:
            inside = None if row_inside is None else row_inside & column_inside
            yield first + row * width + column, row_weight * column_weight, inside


def _neighbours(place, size, interpolation, fill_mode):
    """(number, weight, inside) of the pixels beside a place along one axis"""
    if interpolation == "nearest":
        near = [(_half_away(place), np.ones_like(place))]
    else:
        low = np.floor(place)
        near = [(low, 1 - (place - low)), (low + 1, place - low)]
    for number, weight in near:
        i = number.astype(np.int64)
        if fill_mode == "constant":
            inside = (i >= 0) & (i < size)
            yield np.clip(i, 0, size - 1), weight, inside
        else:
            yield _FILL[fill_mode](i, size), weight, None


def _half_away(x):
    """Round to the nearest whole number, and halves away from 0."""
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0)


def _mirror(i, size):
    """d c b | a b c d | c b a"""
    last = size - 1
    return np.abs((i + last) % max(2 * last, 1) - last)


def _reflect(i, size):
    """c b a | a b c d | d c b"""
    return (_mirror(2 * i + 1, 2 * size + 1) - 1) // 2


_FILL = {
    "nearest": lambda i, size: np.clip(i, 0, size - 1),
    "wrap": lambda i, size: i % size,
    "mirror": _mirror,
    "reflect": _reflect,
}
