"""Pooling: one value for every window of a picture, channel by channel.

    x: (n, height, width, channels)    y: (n, places down, places across, channels)

A window has few positions, a batch many windows. So each operation goes through the
positions, and lifts the values at that one out of all windows at once: for a few
pictures at a time, so that they stay in the cache, and by several threads.
"""

from __future__ import annotations

import numpy as np

from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.engine.op import Case, Op, Spec, op
from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch
from deepneuron.ops.types import cast, convert_to_tensor
from deepneuron.ops.window import (
    check_padding,
    chunk_of,
    chunks_of,
    from_pictures,
    pair,
    rank_of,
    to_pictures,
    windows,
)


def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """y[n, i, j, c] = max over a, b of x[n, s i + a, s j + b, c]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        pool_size: how far a and b go; a number, or one for each axis.
        strides: s, how far the window moves; its own size by default.
        padding: "valid", or "same" for windows that reach over the border, where they
            see nothing.
        data_format: "channels_last" or "channels_first"; as in the config by default.

    Returns:
        (batch, places down, places across, channels), or in the order of data_format.
        Of several equal maxima the first gets the gradient.

    Raises:
        ShapeError: the window is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.max_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([3., 2.])
    """
    x = convert_to_tensor(inputs)
    return _pool("max_pool", x, pool_size, strides, padding, data_format)[0]


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """y[n, i, j, c] = mean over a, b of x[n, s i + a, s j + b, c]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        pool_size: how far a and b go; a number, or one for each axis.
        strides: s, how far the window moves; its own size by default.
        padding: "valid", or "same" for windows that reach over the border; what lies
            beyond it does not count.
        data_format: "channels_last" or "channels_first"; as in the config by default.

    Returns:
        (batch, places down, places across, channels), or in the order of data_format.

    Raises:
        ShapeError: the window is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.average_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
    array([2., 1.])
    """
    x = convert_to_tensor(inputs)
    if not is_float(x.dtype):
        x = cast(x, result_type(x.dtype, float))
    return _pool("average_pool", x, pool_size, strides, padding, data_format)


def _pool(name, x, pool_size, strides, padding, data_format):
    rank = rank_of(name, x.shape)
    size = pair(pool_size, rank, f"{name}: pool_size")
    result = {"max_pool": max_pool2d, "average_pool": average_pool2d}[name](
        to_pictures(x, data_format),
        size=size,
        strides=size if strides is None else pair(strides, rank, f"{name}: strides"),
        padding=check_padding(name, padding),
    )
    if isinstance(result, tuple):
        return tuple(from_pictures(y, rank, data_format) for y in result)
    return from_pictures(result, rank, data_format)


_VARIANTS = (
    {"size": (2, 2), "strides": (2, 2)},
    {"size": (2, 3), "strides": (2, 1)},
    {"size": (3, 2), "strides": (2, 2), "padding": "same"},
    {"size": (1, 2), "strides": (2, 3)},
)
_PLACES = ((2, 3), (2, 4), (3, 3), (3, 2))  # of these, in a picture of 5 x 6


def _choices(down, across, size):
    """Any position in each of the windows over 2 pictures with 2 channels."""
    count = size[0] * size[1]
    return np.random.default_rng(0).integers(
        count, size=(2, down, across, 2), dtype="uint8"
    )


# --- the maximum


@op
class max_pool2d(Op):
    """y = max of x over each window;  outputs (y, where in its window it was found)"""

    cases = tuple(Case((2, 5, 6, 2), **attrs) for attrs in _VARIANTS)

    def infer(self, x, /, size, strides, padding="valid"):
        n, *picture, channels = x.shape
        w = windows("max_pool", picture, size, strides, padding)
        shape = (n, *w.places, channels)
        return Spec(shape, x.dtype), Spec(shape, _position_type(size))

    def forward(self, x, /, size, strides, padding="valid", out=None):
        w = windows("max_pool", x.shape[1:3], size, strides, padding)
        shape = (len(x), *w.places, x.shape[3])
        y, where = out or (
            np.empty(shape, x.dtype),
            np.empty(shape, _position_type(size)),
        )
        lowest = -np.inf if is_float(x.dtype.name) else np.iinfo(x.dtype).min

        def work(some):
            pictures, best, place = x[some], y[some], where[some]
            value, better, here = (
                scratch(best.shape, t) for t in (x.dtype, bool, where.dtype)
            )
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                _lift(pictures, w, i, j, value if k else best, lowest)
                if k == 0:
                    place[...] = 0
                    continue
                # place = k where it is better: k is larger than all before.
                np.greater(value, best, out=better)
                np.multiply(better.view("uint8"), place.dtype.type(k), out=here)
                np.maximum(place, here, out=place)
                np.maximum(best, value, out=best)  # which keeps a NaN

        share(work, _chunks(x))
        return y, where

    def gradient(self, node, dy, dwhere):
        (x,), (_, where) = node.inputs, node.outputs
        return (max_pool2d_grad(dy, where, picture=x.shape[1:3], **node.attrs),)


@op
class max_pool2d_grad(Op):
    """dx = dy where the maximum was found, 0 elsewhere; windows that overlap add up"""

    cases = (
        *(
            Case((2, *places, 2), _choices(*places, v["size"]), picture=(5, 6), **v)
            for places, v in zip(_PLACES, _VARIANTS, strict=True)
        ),
        Case(
            (2, 2, 3, 2), _choices(2, 3, (2, 2)), picture=(4, 6), **_VARIANTS[0]
        ),  # windows that leave no pixel out
    )

    def infer(self, dy, where, /, picture, size, strides, padding="valid"):
        return Spec((dy.shape[0], *picture, dy.shape[3]), dy.dtype)

    def forward(self, dy, where, /, picture, size, strides, padding="valid", out=None):
        w = windows("max_pool", picture, size, strides, padding)
        shape = (len(dy), *picture, dy.shape[3])
        dx = np.empty(shape, dy.dtype) if out is None else out

        def work(some):
            if not w.tile:
                dx[some] = 0
            part = scratch(dy[some].shape, dy.dtype)
            chosen = _Chosen(where[some], dy.dtype)
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                chosen.at(k, dy[some], part)
                _drop(part, w, i, j, dx[some])

        share(work, _chunks(dx))
        return dx

    def gradient(self, node, ddx):
        (_, where), attrs = node.inputs, dict(node.attrs)
        del attrs["picture"]
        return max_pool2d_pick(ddx, where, **attrs), None


@op
class max_pool2d_pick(Op):
    """y = x at the position `where` of each window"""

    cases = tuple(
        Case((2, 5, 6, 2), _choices(*places, v["size"]), **v)
        for places, v in zip(_PLACES, _VARIANTS, strict=True)
    )

    def infer(self, x, where, /, size, strides, padding="valid"):
        return Spec(where.shape, x.dtype)

    def forward(self, x, where, /, size, strides, padding="valid", out=None):
        w = windows("max_pool", x.shape[1:3], size, strides, padding)
        y = np.empty(where.shape, x.dtype) if out is None else out

        def work(some):
            y[some] = 0
            part = scratch(y[some].shape, x.dtype)
            chosen = _Chosen(where[some], x.dtype)
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                _lift(x[some], w, i, j, part, 0)
                chosen.at(k, part, part)
                np.add(y[some], part, out=y[some])

        share(work, _chunks(x))
        return y

    def gradient(self, node, dy):
        x, where = node.inputs
        picture = x.shape[1:3]
        return max_pool2d_grad(dy, where, picture=picture, **node.attrs), None


class _Chosen:
    """Values where the maximum was at a position, and 0 elsewhere.

    They are multiplied as bits, by whole numbers 1 and 0: so 0 times NaN is 0 as well.
    """

    def __init__(self, where, dtype):
        self.where, self.bits = where, f"int{8 * np.dtype(dtype).itemsize}"
        self.hit = scratch(where.shape, bool)
        self.factor = scratch(where.shape, self.bits)

    def at(self, k, x, out):
        np.copyto(self.factor, np.equal(self.where, k, out=self.hit))
        np.multiply(x.view(self.bits), self.factor, out=out.view(self.bits))


def _position_type(size):
    return "uint8" if size[0] * size[1] <= 256 else "int32"


# --- the mean


@op
class average_pool2d(Op):
    """y = mean of x over each window, as far as it lies on the picture"""

    cases = tuple(Case((2, 5, 6, 2), **attrs) for attrs in _VARIANTS)

    def infer(self, x, /, size, strides, padding="valid"):
        n, *picture, channels = x.shape
        w = windows("average_pool", picture, size, strides, padding)
        return Spec((n, *w.places, channels), x.dtype)

    def forward(self, x, /, size, strides, padding="valid", out=None):
        w = windows("average_pool", x.shape[1:3], size, strides, padding)
        shape = (len(x), *w.places, x.shape[3])
        y = np.empty(shape, x.dtype) if out is None else out
        counts = _counts(w, x.dtype)

        def work(some):
            total = y[some]
            part = scratch(total.shape, x.dtype)
            total[...] = 0
            for i, j in np.ndindex(w.size):
                _lift(x[some], w, i, j, part, 0)
                np.add(total, part, out=total)
            np.divide(total, counts, out=total)

        share(work, _chunks(x))
        return y

    def gradient(self, node, dy):
        (x,) = node.inputs
        return (average_pool2d_grad(dy, picture=x.shape[1:3], **node.attrs),)


@op
class average_pool2d_grad(Op):
    """dx = sum of dy / number of values, over the windows that x lies in"""

    cases = (
        *(
            Case((2, *places, 2), picture=(5, 6), **v)
            for places, v in zip(_PLACES, _VARIANTS, strict=True)
        ),
        Case((2, 2, 3, 2), picture=(4, 6), **_VARIANTS[0]),
    )

    def infer(self, dy, /, picture, size, strides, padding="valid"):
        return Spec((dy.shape[0], *picture, dy.shape[3]), dy.dtype)

    def forward(self, dy, /, picture, size, strides, padding="valid", out=None):
        w = windows("average_pool", picture, size, strides, padding)
        shape = (len(dy), *picture, dy.shape[3])
        dx = np.empty(shape, dy.dtype) if out is None else out
        counts = _counts(w, dy.dtype)

        def work(some):
            if not w.tile:
                dx[some] = 0
            part = scratch(dy[some].shape, dy.dtype)
            np.divide(dy[some], counts, out=part)
            for i, j in np.ndindex(w.size):
                _drop(part, w, i, j, dx[some])

        share(work, _chunks(dx))
        return dx

    def gradient(self, node, ddx):
        attrs = dict(node.attrs)
        del attrs["picture"]
        return (average_pool2d(ddx, **attrs),)


def _counts(w, dtype):
    """(places down, places across, 1): how many values each window has."""
    counts = np.zeros((*w.places, 1), dtype)
    for i, j in np.ndindex(w.size):
        (_, *here), _ = _meet(w, i, j)
        counts[tuple(here)] += 1
    return counts


# --- from the pictures to one position of their windows, and back


def _lift(x, w, i, j, value, beyond):
    """value = what x has at position (i, j) of every window; `beyond` in the padding"""
    here, there = _meet(w, i, j)
    if w.pads:
        value[...] = beyond
    _copy(value[here], x[there])


def _drop(value, w, i, j, x):
    """x += value, at position (i, j) of every window; x is 0 before the first"""
    here, there = _meet(w, i, j)
    target = x[there]
    if any(k > s for k, s in zip(w.size, w.strides, strict=True)):
        np.add(target, value[here], out=target)
    else:  # no other window has been there
        _copy(target, value[here])


def _meet(w, i, j):
    """Which windows have their position (i, j) on the picture, and where it lies there.

    Returns:
        here, there: y[here] is to x[there] what a window is to that position.
    """
    here, there = [slice(None)], [slice(None)]
    for k, s, (before, _), n, places in zip(
        (i, j), w.strides, w.padding, w.picture, w.places, strict=True
    ):
        first = max(0, -((k - before) // s))  # the first that reaches the picture
        last = min(places - 1, (n - 1 - k + before) // s)
        start = first * s + k - before
        here.append(slice(first, max(last + 1, first)))
        there.append(slice(start, max(start + (last - first) * s + 1, start), s))
    return tuple(here), tuple(there)


def _copy(target, source):
    """target = source, a pixel with all its channels at a time if they lie together"""
    both, itemsize = (target, source), source.itemsize
    if source.size and all(x.strides[-1] == itemsize for x in both):
        pixel = f"V{source.shape[-1] * itemsize}"
        target, source = (x.view(pixel) for x in both)
    target[...] = source


def _chunks(x):
    """Slices of a few pictures each."""
    return chunks_of(len(x), chunk_of(len(x), x[:1].nbytes))
