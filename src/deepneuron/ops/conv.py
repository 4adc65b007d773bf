"""Convolution: one small kernel looks at every place of a picture.

    x: (n, height, width, channels)    kernel: (rows, columns, channels, filters)

All three operations are products of matrices once every window has become a row:

    columns: (n * places, rows * columns * channels)
    y       = columns @ kernel
    dkernel = columns^T @ dy
    dx      = dy @ kernel^T, each row of it added to x's gradient where its window lay

This is done for a few pictures at a time, so that the columns stay in the cache, and by
several threads, each with pictures of its own.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError
from deepneuron.ops.shape import expand_dims
from deepneuron.ops.types import convert_to_tensor
from deepneuron.ops.window import (
    check_padding,
    chunk_of,
    chunks_of,
    from_pictures,
    pair,
    rank_of,
    runs_of,
    to_pictures,
    windows,
)


def conv(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
):
    """y[n, i, j, f] =
        sum over a, b, c of x[n, s i + d a, s j + d b, c] kernel[a, b, c, f]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        kernel: (rows, columns, channels, filters) or (columns, channels, filters). Has
            it a part of the channels only, each part makes its share of the filters.
        strides: s, how far the kernel moves; a number, or one for each axis.
        padding: "valid", or "same" for zeros around the picture.
        data_format: "channels_last" or "channels_first"; as in the config by default.
        dilation_rate: d, how far apart the kernel's rows and columns look.

    Returns:
        (batch, places down, places across, filters), or in the order of data_format.

    Raises:
        ShapeError: the channels differ, or the kernel is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.arange(3.0).reshape(1, 3, 1)
    >>> dn.ops.conv(x, np.ones((2, 1, 1))).ravel()
    array([1., 3.])
    """
    kernel = convert_to_tensor(kernel)
    x = convert_to_tensor(inputs, dtype=kernel.dtype)
    rank = rank_of("conv", x.shape)
    if len(kernel.shape) != rank + 2:
        raise ShapeError(
            f"conv: for inputs of shape {tuple(x.shape)} the kernel has {rank + 2} "
            f"axes; received shape {tuple(kernel.shape)}."
        )
    x = to_pictures(x, data_format)
    channels, part = x.shape[-1], kernel.shape[-2]
    if channels is None or channels % part or kernel.shape[-1] % (channels // part):
        raise ShapeError(
            f"conv: {channels} input channels do not fit a kernel of shape "
            f"{tuple(kernel.shape)}, which takes {part} (or groups of {part})."
        )
    y = conv2d(
        x,
        expand_dims(kernel, 0) if rank == 1 else kernel,
        strides=pair(strides, rank, "conv: strides"),
        padding=check_padding("conv", padding),
        dilation=pair(dilation_rate, rank, "conv: dilation_rate"),
        groups=channels // part,
    )
    return from_pictures(y, rank, data_format)


_VARIANTS = (
    {},
    {"strides": (2, 1), "padding": ((1, 0), (2, 1))},
    {"padding": "same", "strides": (2, 2)},
    {"padding": "same", "dilation": (2, 1)},
)


@op
class conv2d(Op):
    """y = x * kernel"""

    cases = (
        *(Case((2, 5, 6, 4), (3, 2, 4, 3), **attrs) for attrs in _VARIANTS),
        Case((2, 5, 4, 1), (2, 3, 1, 2), padding="same"),
        Case((2, 4, 5, 4), (2, 2, 2, 6), groups=2),
        Case((2, 3, 4, 3), (1, 1, 3, 2)),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(
        self, x, kernel, /, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1
    ):
        n, *picture, channels = x.shape
        *size, part, filters = kernel.shape
        if part * groups != channels or filters % groups:
            raise ShapeError(
                f"conv2d: a kernel of shape {tuple(kernel.shape)} in {groups} groups "
                f"does not fit {channels} channels."
            )
        w = windows("conv", picture, size, strides, padding, dilation)
        return Spec((n, *w.places, filters), x.dtype)

    def forward(
        self, x, kernel, /,
        strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, out=None,
    ):  # fmt: skip
        *size, _, filters = kernel.shape
        w = windows("conv", x.shape[1:3], size, strides, padding, dilation)
        y = np.empty((len(x), *w.places, filters), x.dtype) if out is None else out
        matrix = kernel.reshape(-1, filters)

        def work(some):
            for some_channels, some_filters in _groups(x.shape[-1], filters, groups):
                columns = _Columns(x[some][..., some_channels], w).filled()
                part = y[some][..., some_filters]
                rows = (
                    _rows(part) if groups == 1 else scratch(_rows(part).shape, y.dtype)
                )
                np.matmul(columns, matrix[:, some_filters], out=rows)
                if groups > 1:
                    part[...] = rows.reshape(part.shape)

        share(work, _chunks(x.shape, w, x.itemsize))
        return y

    def gradient(self, node, dy):
        x, kernel = node.inputs
        return (
            conv2d_input_grad(dy, kernel, picture=x.shape[1:3], **node.attrs),
            conv2d_kernel_grad(x, dy, size=kernel.shape[:2], **node.attrs),
        )


@op
class conv2d_input_grad(Op):
    """dx, for y = x * kernel, from dy: (n, places down, places across, filters)"""

    cases = (
        Case((2, 3, 5, 3), (3, 2, 4, 3), picture=(5, 6)),
        Case((2, 2, 8, 3), (3, 2, 4, 3), picture=(5, 6), **_VARIANTS[1]),
        Case((2, 3, 3, 3), (3, 2, 4, 3), picture=(5, 6), **_VARIANTS[2]),
        Case((2, 5, 6, 3), (3, 2, 4, 3), picture=(5, 6), **_VARIANTS[3]),
        Case((2, 5, 4, 2), (2, 3, 1, 2), picture=(5, 4), padding="same"),
        Case((2, 3, 4, 6), (2, 2, 2, 6), picture=(4, 5), groups=2),
        Case((2, 3, 4, 2), (1, 1, 3, 2), picture=(3, 4)),
    )

    def infer(
        self, dy, kernel, /,
        picture, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1,
    ):  # fmt: skip
        return Spec((dy.shape[0], *picture, kernel.shape[2] * groups), dy.dtype)

    def forward(
        self, dy, kernel, /,
        picture, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, out=None,
    ):  # fmt: skip
        *size, part, filters = kernel.shape
        w = windows("conv", picture, size, strides, padding, dilation)
        dx = out
        if dx is None:
            dx = np.empty((len(dy), *picture, part * groups), dy.dtype)
        margins = _margins_of_dy(w)
        if margins:  # dx is a convolution as well: of dy, with the kernel turned round
            shape = (*size, filters // groups, groups, part)
            turned = scratch(shape, dy.dtype)
            turned[...] = np.moveaxis(
                kernel[::-1, ::-1].reshape(*size, part, groups, -1), 2, -1
            ).swapaxes(2, 3)
            turned = turned.reshape(*size, filters // groups, groups * part)
            attrs = {"padding": margins, "dilation": dilation, "groups": groups}
            return conv2d.forward(dy, turned, **attrs, out=dx)
        matrix = kernel.reshape(-1, filters)

        def work(some):
            for some_channels, some_filters in _groups(part * groups, filters, groups):
                columns = _Columns(dx[some][..., some_channels], w)
                rows = _rows(dy[some][..., some_filters])
                columns.add_products(rows, matrix[:, some_filters])

        share(work, _chunks(dx.shape, w, dx.itemsize))
        return dx

    def gradient(self, node, ddx):
        (dy, kernel), attrs = node.inputs, dict(node.attrs)
        del attrs["picture"]
        return (
            conv2d(ddx, kernel, **attrs),
            conv2d_kernel_grad(ddx, dy, size=kernel.shape[:2], **attrs),
        )


@op
class conv2d_kernel_grad(Op):
    """dkernel, for y = x * kernel"""

    cases = (
        Case((2, 5, 6, 4), (2, 3, 5, 3), size=(3, 2)),
        Case((2, 5, 6, 4), (2, 2, 8, 3), size=(3, 2), **_VARIANTS[1]),
        Case((2, 5, 6, 4), (2, 3, 3, 3), size=(3, 2), **_VARIANTS[2]),
        Case((2, 5, 6, 4), (2, 5, 6, 3), size=(3, 2), **_VARIANTS[3]),
        Case((2, 5, 4, 1), (2, 5, 4, 2), size=(2, 3), padding="same"),
        Case((2, 4, 5, 4), (2, 3, 4, 6), size=(2, 2), groups=2),
        Case((2, 3, 4, 3), (2, 3, 4, 2), size=(1, 1)),
    )

    def infer(
        self, x, dy, /,
        size, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1,
    ):  # fmt: skip
        return Spec((*size, x.shape[-1] // groups, dy.shape[-1]), dy.dtype)

    def forward(
        self, x, dy, /,
        size, strides=(1, 1), padding="valid", dilation=(1, 1), groups=1, out=None,
    ):  # fmt: skip
        channels, filters = x.shape[-1], dy.shape[-1]
        w = windows("conv", x.shape[1:3], size, strides, padding, dilation)
        dkernel = out
        if dkernel is None:
            dkernel = np.empty((*size, channels // groups, filters), dy.dtype)
        runs = runs_of(_chunks(x.shape, w, x.itemsize), dkernel.nbytes)
        sums = scratch((len(runs), math.prod(dkernel.shape[:3]), filters), dy.dtype)

        def work(k):
            total, product = sums[k], scratch(sums[k].shape, dy.dtype)
            for n, some in enumerate(runs[k]):
                for some_channels, some_filters in _groups(channels, filters, groups):
                    columns = _Columns(x[some][..., some_channels], w).filled()
                    rows = _rows(dy[some][..., some_filters])
                    target = product if n else total
                    np.matmul(columns.T, rows, out=target[:, some_filters])
                if n:
                    np.add(total, product, out=total)

        share(work, range(len(runs)))
        # In the order of the pictures, whoever was done first.
        np.sum(sums, axis=0, out=dkernel.reshape(sums.shape[1:]))
        return dkernel

    def gradient(self, node, ddkernel):
        (x, dy), attrs = node.inputs, dict(node.attrs)
        del attrs["size"]
        return (
            conv2d_input_grad(dy, ddkernel, picture=x.shape[1:3], **attrs),
            conv2d(x, ddkernel, **attrs),
        )


def _groups(channels, filters, groups):
    """For each group, which channels go in and which filters come out."""
    c, f = channels // groups, filters // groups
    for g in range(groups):
        yield slice(g * c, (g + 1) * c), slice(g * f, (g + 1) * f)


def _rows(y):
    """(n * places, filters)"""
    return y.reshape(-1, y.shape[-1])


def _chunks(shape, w, itemsize):
    """Slices of x, of so few pictures that their columns stay in the cache."""
    n, _, _, channels = shape
    bytes_each = math.prod(w.places) * math.prod(w.size) * channels * itemsize
    return chunks_of(n, chunk_of(n, bytes_each))


def _margins_of_dy(w):
    """The padding with which dy, convolved with the kernel turned round, is dx.

    None where windows leap, or where the margins would be most of the work: then the
    products are added up where the windows lay.
    """
    pads = tuple(
        ((k - 1) * d - before, (k - 1) * d - after)
        for k, d, (before, after) in zip(w.size, w.dilation, w.padding, strict=True)
    )
    if w.strides != (1, 1) or any(p < 0 for both in pads for p in both):
        return None
    return pads if math.prod(w.picture) <= 1.25 * math.prod(w.places) else None


_FEW_CHANNELS = 4  # of fewer, the windows' rows are too short to be copied one by one


class _Columns:
    """The windows over a few pictures x, as the rows of a matrix.

    Where x has few channels the matrix is laid out the other way round, so that what
    is copied at once is a row of the picture.
    """

    def __init__(self, x, w):
        n, _, _, c = x.shape
        self.x, self.w = x, w
        self.few = c < _FEW_CHANNELS
        # A kernel of one pixel: the picture is the matrix.
        self.whole = (
            w.size == (1, 1) == w.strides and not w.pads and x.flags.c_contiguous
        )
        if self.whole:
            return
        count, depth = n * math.prod(w.places), math.prod(w.size) * c
        memory = scratch((count * depth,), x.dtype)
        if self.few:
            self.columns = memory.reshape(*w.size, c, n, *w.places)
            self.matrix = memory.reshape(depth, count).T
        else:
            self.columns = memory.reshape(n, *w.places, *w.size, c)
            self.matrix = memory.reshape(count, depth)

    def filled(self):
        """(windows, depth)"""
        x, w = self.x, self.w
        if self.whole:
            return _rows(x)
        if w.pads:
            x = w.framed(x)
        if self.few:
            for i, j in np.ndindex(w.size):
                self.columns[i, j] = np.moveaxis(x[w.at(i, j)], -1, 0)
        else:
            self.columns[...] = w.over(x)
        return self.matrix

    def add_products(self, dy, kernel):
        """x = the rows of dy @ kernel^T, each added where its window lies"""
        dx, w = self.x, self.w
        if self.whole:
            np.matmul(dy, kernel.T, out=_rows(dx))
            return
        padded = dx
        if w.pads:
            padded = scratch((len(dx), *w.padded, dx.shape[-1]), dx.dtype)
        padded[...] = 0
        if self.few:
            np.matmul(kernel, dy.T, out=self.matrix.T)
            for i, j in np.ndindex(w.size):
                target = np.moveaxis(padded[w.at(i, j)], -1, 0)
                np.add(target, self.columns[i, j], out=target)
        else:  # a position of the windows at a time: its products lie together
            c = dx.shape[-1]
            product = scratch((len(dy), c), dx.dtype)
            for k, (i, j) in enumerate(np.ndindex(w.size)):
                target = padded[w.at(i, j)]
                np.matmul(dy, kernel[k * c : (k + 1) * c].T, out=product)
                np.add(target, product.reshape(target.shape), out=target)
        if w.pads:
            dx[...] = padded[w.inside()]
