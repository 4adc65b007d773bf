"""Convolution: one small kernel looks at every place of a picture.

    x: (n, height, width, channels)    kernel: (rows, columns, channels, filters)

All three operations are products of matrices once every window has become a row:

    columns: (n * places, rows * columns * channels)
    y       = columns @ kernel
    dkernel = columns^T @ dy
    dx      = dy @ kernel^T, each row of it added to x's gradient where its window lay

This is done for a few pictures at a time, so that the columns stay in the cache.
"""

from __future__ import annotations

import math

import numpy as np

from deepneuron.engine.op import Case, Op, Spec, op, promote
from deepneuron.engine.workspace import scratch
from deepneuron.errors import ShapeError
from deepneuron.ops.shape import expand_dims
from deepneuron.ops.types import convert_to_tensor
from deepneuron.ops.window import (
    check_padding,
    chunk_of,
    from_pictures,
    pair,
    rank_of,
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
    """y[n, i, j, f] = sum over a, b, c of x[n, s i + d a, s j + d b, c] kernel[a, b, c, f]

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
            f"conv: for inputs of shape {tuple(x.shape)} the kernel has {rank + 2} axes; "
            f"received shape {tuple(kernel.shape)}."
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
        *(Case((2, 5, 6, 2), (3, 2, 2, 3), **attrs) for attrs in _VARIANTS),
        Case((2, 5, 4, 1), (2, 3, 1, 2), padding="same"),
        Case((2, 4, 5, 4), (2, 2, 2, 6), groups=2),
        Case((2, 3, 4, 3), (1, 1, 3, 2)),
    )

    def prepare(self, inputs):
        return promote(inputs)

    def infer(
        self, x, kernel, /,
        strides=(1, 1), padding="valid", dilation=(1, 1), groups=1,
    ):  # fmt: skip
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
        if out is None:
            out = np.empty((len(x), *w.places, filters), x.dtype)
        for group in _groups(kernel, groups):
            matrix = _matrix(kernel, group)
            for some, columns in _columns(x[..., group.channels], w):
                y = out[some]
                if groups == 1:
                    np.matmul(columns, matrix, out=y.reshape(-1, filters))
                else:
                    part = scratch_like(group, columns)
                    np.matmul(columns, matrix, out=part)
                    y[..., group.filters] = part.reshape(*y.shape[:3], -1)
        return out

    def gradient(self, node, dy):
        x, kernel = node.inputs
        return (
            conv2d_input_grad(dy, kernel, picture=x.shape[1:3], **node.attrs),
            conv2d_kernel_grad(x, dy, size=kernel.shape[:2], **node.attrs),
        )
