"""Pictures, `deepneuron.ops.image`: names and arguments as in `keras.ops.image`."""

from __future__ import annotations

from functools import cache

import numpy as np

from deepneuron.engine.config import image_data_format
from deepneuron.engine.dtypes import is_float, result_type
from deepneuron.errors import ArgumentError, ShapeError
from deepneuron.ops import reduction
from deepneuron.ops.affine import affine
from deepneuron.ops.arithmetic import clip, round
from deepneuron.ops.indexing import take
from deepneuron.ops.linalg import matmul
from deepneuron.ops.padding import pad
from deepneuron.ops.shape import expand_dims, reshape, squeeze, transpose
from deepneuron.ops.types import cast, convert_to_tensor, stop_gradient

_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_KERNELS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def affine_transform(
    images,
    transform,
    interpolation="bilinear",
    fill_mode="constant",
    fill_value=0,
    data_format=None,
):
    """y(j, i) = x(a0 j + a1 i + a2, b0 j + b1 i + b2), j along the width, i the height

    Args:
        images: (batch, height, width, channels), or one without a batch.
        transform: (batch, 8) or (8,): a0, a1, a2, b0, b1, b2, 0, 0. It leads from
            places in y to places in x. Gradients go to the pictures, not to it.
        interpolation: "bilinear" (the mean of four pixels) or "nearest".
        fill_mode: what lies outside of x: "constant" (fill_value), "nearest" (the
            border), "wrap" (x again), "mirror" (its mirror image, the border being the
            mirror) or "reflect" (likewise, the mirror stands behind the border).
        fill_value: for "constant".
        data_format: "channels_last" or "channels_first"; that of the settings if None.

    Returns:
        Pictures of the same shape.

    Raises:
        ArgumentError: an unknown interpolation, fill_mode or data_format.
        ShapeError: images or transform have another number of axes.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.array([[1.0, 2.0, 3.0]]).reshape(1, 3, 1)
    >>> one_to_the_right = [1.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    >>> dn.ops.image.affine_transform(x, one_to_the_right).ravel()
    array([0., 1., 2.])
    """
    name = "affine_transform"
    _check(name, "interpolation", interpolation, ("bilinear", "nearest"))
    _check(name, "fill_mode", fill_mode, _FILL_MODES)
    transform = convert_to_tensor(transform)
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ShapeError(
            f"{name}: transform has shape (8,) or (batch, 8); received "
            f"{tuple(transform.shape)}."
        )
    if len(transform.shape) == 1:
        transform = expand_dims(transform, 0)
    x, restore = _channels_last(name, images, data_format)
    if transform.shape[0] not in (1, None, x.shape[0]):
        raise ShapeError(
            f"{name}: there are {x.shape[0]} pictures and {transform.shape[0]} "
            "transforms; give one for each picture, or one for all."
        )
    return restore(
        affine(
            x,
            stop_gradient(transform),
            interpolation=interpolation,
            fill_mode=fill_mode,
            fill_value=float(fill_value),
        )
    )


def resize(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    """y = R x C^T for every channel: each row of R and of C is a weighted mean

    Args:
        images: (batch, height, width, channels), or one without a batch.
        size: (height, width) of y.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether smaller pictures are means over all of x, instead of samples.
        crop_to_aspect_ratio: cut x, in its middle, to the proportions of y first.
        pad_to_aspect_ratio: or surround it with fill_value.
        fill_mode: "constant".
        fill_value: for pad_to_aspect_ratio.
        data_format: "channels_last" or "channels_first"; that of the settings if None.

    Returns:
        Pictures of that size and of the same type; whole numbers are rounded, and kept
        within what the type can hold.

    Raises:
        ArgumentError: unknown names, or both cropping and padding.
        ShapeError: images have another number of axes.

    >>> import numpy as np, deepneuron as dn
    >>> x = np.array([[0.0, 1.0]]).reshape(1, 2, 1)
    >>> dn.ops.image.resize(x, (1, 4)).ravel()
    array([0.  , 0.25, 0.75, 1.  ])
    """
    _check("resize", "interpolation", interpolation, _KERNELS)
    _check("resize", "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(
            "resize: pictures are either cropped or padded to the proportions of "
            "`size`; set only one of crop_to_aspect_ratio and pad_to_aspect_ratio."
        )
    if not isinstance(size, (tuple, list)) or len(size) != 2 or min(size) < 1:
        raise ArgumentError(
            f"resize: size is (height, width), both positive; received {size!r}."
        )
    size = tuple(int(n) for n in size)
    x, restore = _channels_last("resize", images, data_format)
    if crop_to_aspect_ratio:
        x = _crop(x, size)
    elif pad_to_aspect_ratio:
        x = _pad(x, size, fill_value)
    if interpolation == "nearest":
        for axis in (1, 2):
            x = take(x, _nearest(x.shape[axis], size[axis - 1]), axis=axis)
        return restore(x)
    given, dtype = x.dtype, result_type(x.dtype, float)
    x = cast(x, dtype)
    height, width, channels = x.shape[1:]
    if height != size[0]:
        rows = _means(height, size[0], interpolation, antialias).astype(dtype)
        x = matmul(rows, reshape(x, (-1, height, width * channels)))
    if width != size[1]:
        columns = _means(width, size[1], interpolation, antialias).astype(dtype)
        x = matmul(columns, reshape(x, (-1, width, channels)))
    x = reshape(x, (-1, *size, channels))
    if not is_float(given):
        limits = np.iinfo(given)
        x = cast(clip(round(x), limits.min, limits.max), given)
    return restore(x)


def rgb_to_grayscale(images, data_format=None):
    """y = 0.2989 red + 0.5870 green + 0.1140 blue: how bright they look

    Args:
        images: (batch, height, width, 3), or one without a batch. Those of one channel
            are grey already.
        data_format: "channels_last" or "channels_first"; that of the settings if None.

    Returns:
        (batch, height, width, 1), of the same type.

    Raises:
        ShapeError: another number of axes or channels.

    >>> import numpy as np, deepneuron as dn
    >>> dn.ops.image.rgb_to_grayscale(np.ones((2, 4, 4, 3), "float32")).shape
    (2, 4, 4, 1)
    """
    x, restore = _channels_last("rgb_to_grayscale", images, data_format)
    if x.shape[-1] not in (1, 3):
        raise ShapeError(
            "rgb_to_grayscale: pictures have 3 channels (or 1, being grey already); "
            f"received {x.shape[-1]} in the shape {tuple(images.shape)}."
        )
    if x.shape[-1] == 1:
        return restore(x)
    dtype = result_type(x.dtype, float)
    shares = np.array([0.2989, 0.5870, 0.1140], dtype)
    grey = reduction.sum(cast(x, dtype) * shares, axis=-1, keepdims=True)
    return restore(cast(grey, x.dtype))


# --- how a picture gets another size


@cache
def _means(old, new, interpolation, antialias):
    """(new, old): each row holds the weights that make one new pixel of the old ones"""
    place = (np.arange(new) + 0.5) * (old / new) - 0.5  # (new,), in x
    distance = np.abs(place[:, None] - np.arange(old))
    if antialias:
        distance /= max(old / new, 1.0)
    weights = _weight(distance, interpolation)
    return weights / weights.sum(axis=1, keepdims=True)


def _weight(d, interpolation):
    """How much a pixel at the distance d counts.

    Source of bicubic: Keys, "Cubic convolution interpolation for digital image
    processing", 1981; of the others: Lanczos' windowed sinc function.
    """
    if interpolation == "bilinear":
        return np.maximum(0, 1 - d)
    if interpolation == "bicubic":
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        return np.where(d < 1, near, np.where(d < 2, far, 0))
    radius = int(interpolation[-1])
    return np.where(d < radius, np.sinc(d) * np.sinc(d / radius), 0)


def _nearest(old, new):
    """(new,): the old pixel that the middle of each new one lies in"""
    return ((2 * np.arange(new) + 1) * old // (2 * new)).astype("int32")


def _crop(x, size):
    """The largest part of the proportions of `size`, from the middle"""
    height, width = x.shape[1:3]
    rows = max(min(height, int(width * size[0] / size[1])), 1)
    columns = max(min(width, int(height * size[1] / size[0])), 1)
    top, left = (height - rows) // 2, (width - columns) // 2
    return x[:, top : top + rows, left : left + columns]


def _pad(x, size, value):
    """The picture in the middle of one of the proportions of `size`"""
    height, width = x.shape[1:3]
    rows = max(height, int(width * size[0] / size[1])) - height
    columns = max(width, int(height * size[1] / size[0])) - width
    beside = ((0, 0), (rows // 2,) * 2, (columns // 2,) * 2, (0, 0))
    return pad(x, beside, constant_values=value)


# --- what they share


def _channels_last(name, images, data_format):
    """(batch, height, width, channels), and the way back"""
    data_format = data_format or image_data_format()
    _check(name, "data_format", data_format, ("channels_last", "channels_first"))
    x = convert_to_tensor(images)
    if len(x.shape) not in (3, 4):
        raise ShapeError(
            f"{name}: images have 4 axes, or 3 without a batch; received the shape "
            f"{tuple(x.shape)}."
        )
    alone, first = len(x.shape) == 3, data_format == "channels_first"

    def restore(y):
        y = transpose(y, (0, 3, 1, 2)) if first else y
        return squeeze(y, 0) if alone else y

    x = expand_dims(x, 0) if alone else x
    return transpose(x, (0, 2, 3, 1)) if first else x, restore


def _check(name, argument, value, known):
    if value not in known:
        raise ArgumentError(
            f"{name}: {argument} is one of {', '.join(known)}; received {value!r}."
        )


__all__ = ["affine_transform", "resize", "rgb_to_grayscale"]
