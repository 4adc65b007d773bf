"""Depthwise convolution: every channel of a picture has kernels of its own.

    x: (n, height, width, channels)    kernel: (rows, columns, channels, multiplier)
    y: (n, places down, places across, channels * multiplier), c * multiplier + m

Nothing is summed over channels, so there is no product of matrices in it. A kernel has
few positions, a picture many: each operation goes through the positions, and multiplies
what lies at that one in all windows at once; for a few pictures at a time, so that they
stay in the cache, and by several threads.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.threads import share
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError
from deepneuron.ops.conv import conv
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


def depthwise_conv(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
):
    """y[n, i, j, c M + m] =
        sum over a, b of x[n, s i + d a, s j + d b, c] kernel[a, b, c, m]

    Args:
        inputs: (batch, height, width, channels) or (batch, length, channels); with
            "channels_first" the channels stand behind the batch.
        kernel: (rows, columns, channels, M) or (columns, channels, M).
        strides: s, how far the kernel moves; a number, or one for each axis.
        padding: "valid", or "same" for zeros around the picture.
        data_format: "channels_last" or "channels_first"; as in the config by default.
        dilation_rate: d, how far apart the kernel's rows and columns look.

    Returns:
        (batch, places down, places across, channels * M), or in the order of
        data_format.

    Raises:
        ShapeError: the channels differ, or the kernel is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.array([[[1.0, 10.0], [2.0, 20.0]]])  # a line of 2, with 2 channels
    >>> dn.ops.depthwise_conv(x, np.ones((2, 2, 1))).ravel()
    array([ 3., 30.])
    """
    kernel = convert_to_tensor(kernel)
    x = convert_to_tensor(inputs, dtype=kernel.dtype)
    rank = rank_of("depthwise_conv", x.shape)
    if len(kernel.shape) != rank + 2:
        raise ShapeError(
            f"depthwise_conv: for inputs of shape {tuple(x.shape)} the kernel has "
            f"{rank + 2} axes; received shape {tuple(kernel.shape)}."
        )
    y = depthwise_conv2d(
        to_pictures(x, data_format),
        expand_dims(kernel, 0) if rank == 1 else kernel,
        strides=pair(strides, rank, "depthwise_conv: strides"),
        padding=check_padding("depthwise_conv", padding),
        dilation=pair(dilation_rate, rank, "depthwise_conv: dilation_rate"),
    )
    return from_pictures(y, rank, data_format)


def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
):
    """y = conv(depthwise_conv(inputs, depthwise_kernel), pointwise_kernel)

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in `depthwise_conv`.
        depthwise_kernel: (rows, columns, channels, M), or without the rows.
        pointwise_kernel: (1, 1, channels * M, filters), or without the rows.

    Returns:
        (batch, places down, places across, filters), or in the order of data_format.

    Raises:
        ShapeError: the channels differ, or the kernel is larger than the picture.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.array([[[1.0, 10.0], [2.0, 20.0]]])  # a line of 2, with 2 channels
    >>> dn.ops.separable_conv(x, np.ones((2, 2, 1)), np.ones((1, 2, 1))).ravel()
    array([33.])
    """
    y = depthwise_conv(
        inputs, depthwise_kernel, strides, padding, data_format, dilation_rate
    )
    return conv(y, pointwise_kernel, data_format=data_format)


_VARIANTS = (
    {},
    {"strides": (2, 1), "padding": ((1, 0), (2, 1))},
    {"padding": "same", "strides": (2, 2)},
    {"padding": "same", "dilation": (2, 1)},
)
_PLACES = ((3, 5), (2, 8), (3, 3), (5, 6))  # of these, with 3 x 2 over 5 x 6


@op
class depthwise_conv2d(Op):
    """y = x * kernel, channel by channel"""

    cases = (
        *(Case((2, 5, 6, 3), (3, 2, 3, 2), **attrs) for attrs in _VARIANTS),
        Case((2, 4, 5, 4), (2, 3, 4, 1), padding="same"),
        Case((2, 3, 4, 3), (1, 1, 3, 2)),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(self, x, kernel, /, strides=(1, 1), padding="valid", dilation=(1, 1)):
        n, *picture, channels = x.shape
        *size, own, multiplier = kernel.shape
        if own != channels:
            raise ShapeError(
                f"depthwise_conv2d: a kernel of shape {tuple(kernel.shape)} is for "
                f"{own} channels; received an input of shape {tuple(x.shape)}."
            )
        w = windows("depthwise_conv", picture, size, strides, padding, dilation)
        return Spec((n, *w.places, channels * multiplier), x.dtype)

    def forward(
        self, x, kernel, /,
        strides=(1, 1), padding="valid", dilation=(1, 1), out=None,
    ):  # fmt: skip
        *size, channels, multiplier = kernel.shape
        w = windows("depthwise_conv", x.shape[1:3], size, strides, padding, dilation)
        y = out
        if y is None:
            y = np.empty((len(x), *w.places, channels * multiplier), x.dtype)

        def work(some):
            pictures = w.framed(x[some]) if w.pads else x[some]
            shape = (len(pictures), *w.places, channels)
            total, product = scratch(shape, y.dtype), scratch(shape, y.dtype)
            for m in range(multiplier):
                for n, (i, j) in enumerate(np.ndindex(w.size)):
                    factor = kernel[i, j, :, m]  # (channels,)
                    np.multiply(
                        pictures[w.at(i, j)], factor, out=product if n else total
                    )
                    if n:
                        np.add(total, product, out=total)
                y[some][..., m::multiplier] = total

        share(work, _chunks(len(x), w, channels, x.itemsize))
        return y

    def gradient(self, node, dy):
        (x, kernel), attrs = node.inputs, node.attrs
        return (
            depthwise_conv2d_input_grad(dy, kernel, picture=x.shape[1:3], **attrs),
            depthwise_conv2d_kernel_grad(x, dy, size=kernel.shape[:2], **attrs),
        )


@op
class depthwise_conv2d_input_grad(Op):
    """dx, for y = x * kernel channel by channel, from dy"""

    cases = (
        *(
            Case((2, *places, 6), (3, 2, 3, 2), picture=(5, 6), **attrs)
            for places, attrs in zip(_PLACES, _VARIANTS, strict=True)
        ),
        Case((2, 4, 5, 4), (2, 3, 4, 1), picture=(4, 5), padding="same"),
    )

    def infer(
        self, dy, kernel, /,
        picture, strides=(1, 1), padding="valid", dilation=(1, 1),
    ):  # fmt: skip
        return Spec((dy.shape[0], *picture, kernel.shape[2]), dy.dtype)

    def forward(
        self, dy, kernel, /,
        picture, strides=(1, 1), padding="valid", dilation=(1, 1), out=None,
    ):  # fmt: skip
        *size, channels, multiplier = kernel.shape
        w = windows("depthwise_conv", picture, size, strides, padding, dilation)
        dx = out
        if dx is None:
            dx = np.empty((len(dy), *picture, channels), dy.dtype)

        def work(some):
            n = len(dy[some])
            total = scratch((n, *w.padded, channels), dy.dtype)
            total[...] = 0
            rows = scratch((n, *w.places, channels), dy.dtype)
            product = scratch(rows.shape, dy.dtype)
            for m in range(multiplier):
                rows[...] = dy[some][..., m::multiplier]
                for i, j in np.ndindex(w.size):
                    np.multiply(rows, kernel[i, j, :, m], out=product)
                    target = total[w.at(i, j)]
                    np.add(target, product, out=target)
            dx[some] = total[w.inside()]

        share(work, _chunks(len(dy), w, channels, dy.itemsize))
        return dx

    def gradient(self, node, ddx):
        (dy, kernel), attrs = node.inputs, dict(node.attrs)
        del attrs["picture"]
        return (
            depthwise_conv2d(ddx, kernel, **attrs),
            depthwise_conv2d_kernel_grad(ddx, dy, size=kernel.shape[:2], **attrs),
        )


@op
class depthwise_conv2d_kernel_grad(Op):
    """dkernel, for y = x * kernel channel by channel"""

    cases = (
        *(
            Case((2, 5, 6, 3), (2, *places, 6), size=(3, 2), **attrs)
            for places, attrs in zip(_PLACES, _VARIANTS, strict=True)
        ),
        Case((2, 4, 5, 4), (2, 4, 5, 4), size=(2, 3), padding="same"),
    )

    def infer(self, x, dy, /, size, strides=(1, 1), padding="valid", dilation=(1, 1)):
        channels = x.shape[-1]
        return Spec((*size, channels, dy.shape[-1] // channels), dy.dtype)

    def forward(
        self, x, dy, /,
        size, strides=(1, 1), padding="valid", dilation=(1, 1), out=None,
    ):  # fmt: skip
        channels = x.shape[-1]
        multiplier = dy.shape[-1] // channels
        w = windows("depthwise_conv", x.shape[1:3], size, strides, padding, dilation)
        dkernel = out
        if dkernel is None:
            dkernel = np.empty((*size, channels, multiplier), dy.dtype)
        runs = runs_of(_chunks(len(x), w, channels, x.itemsize), dkernel.nbytes)
        sums = scratch((len(runs), *dkernel.shape), dy.dtype)

        def work(k):
            sums[k] = 0
            for some in runs[k]:
                _add_kernel_grad(x[some], dy[some], w, sums[k])

        share(work, range(len(runs)))
        # In the order of the pictures, whoever was done first.
        np.sum(sums, axis=0, out=dkernel)
        return dkernel

    def gradient(self, node, ddkernel):
        (x, dy), attrs = node.inputs, dict(node.attrs)
        del attrs["size"]
        return (
            depthwise_conv2d_input_grad(dy, ddkernel, picture=x.shape[1:3], **attrs),
            depthwise_conv2d(x, ddkernel, **attrs),
        )


def _add_kernel_grad(x, dy, w, total):
    """total += dkernel of a few pictures"""
    channels, multiplier = total.shape[2:]
    pictures = w.framed(x) if w.pads else x
    rows = scratch((len(x), *w.places, channels), dy.dtype)
    product, one = scratch(rows.shape, dy.dtype), scratch((channels,), dy.dtype)
    ones = scratch((math.prod(rows.shape[:3]),), dy.dtype)
    ones[...] = 1
    for m in range(multiplier):
        rows[...] = dy[..., m::multiplier]
        for i, j in np.ndindex(w.size):
            np.multiply(pictures[w.at(i, j)], rows, out=product)
            # A sum over all places, done by BLAS.
            np.matmul(ones, product.reshape(-1, channels), out=one)
            total[i, j, :, m] += one


_ALIVE = 4  # arrays as large as the channels' places that each operation goes through


def _chunks(n, w, channels, itemsize):
    """Slices of so few pictures that all that is computed from them fits the cache."""
    bytes_each = math.prod(w.padded) * channels * itemsize
    return chunks_of(n, chunk_of(n, _ALIVE * bytes_each))
