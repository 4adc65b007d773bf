"""Where a classifier looks: Grad-CAM, occlusion, and both drawn over the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deepneuron import ops
from deepneuron.engine import scope
from deepneuron.engine.gradients import gradients
from deepneuron.engine.graph import topological
from deepneuron.engine.tensor import Tensor
from deepneuron.errors import ArgumentError
from deepneuron.vision.answers import (
    answers,
    batch_size,
    called,
    head,
    kind_of,
    sums_to_one,
)

_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)  # what moves the axis of the channels
_PIXELS = 200_000  # that may be in work while all feature maps are remembered
_OPACITY = 0.7  # of the map over a picture, where the map is 1


def grad_cam(model: Any, x: np.ndarray, classes: Any) -> np.ndarray | None:
    """max(0, sum_k a_k A_k), where a_k = mean over all places of d score / d A_k

    A_k are the feature maps of the last layer that still knows places, before pooling
    or flattening; the score is the class's logit. Each map is scaled up to its picture
    (bilinear) and divided by its maximum.

    Args:
        model: a trained classifier of any kind. It is left as it is.
        x: pictures as the model takes them, (pictures, height, width, channels).
        classes: the class to explain, one for all pictures or one for each.

    Returns:
        (pictures, height, width) float32 from 0 to 1; all 0 where nothing speaks for
        the class. None if the model has no convolution, and so no layer with places.

    Raises:
        ArgumentError: a class that the model does not have.

    Source: R. R. Selvaraju et al. (2017), Grad-CAM: Visual Explanations from Deep
    Networks via Gradient-based Localization, ICCV.

    >>> import deepneuron as dn
    >>> layers = [dn.layers.Conv2D(2, 3), dn.layers.Flatten(), dn.layers.Dense(3)]
    >>> model = dn.Sequential([dn.Input((8, 8, 1)), *layers])
    >>> grad_cam(model, np.ones((5, 8, 8, 1), "float32"), classes=2).shape
    (5, 8, 8)
    """
    classes = _classes(classes, len(x))
    maps = []
    step = batch_size(x, 32, _PIXELS)
    for begin in range(0, len(x), step):
        rows = slice(begin, begin + step)
        drawn = _grad_cam(model, x[rows], classes[rows])
        if drawn is None:
            return None
        maps.append(drawn)
    if not maps:
        return np.zeros(np.shape(x)[:3], "float32")
    return np.concatenate(maps)


def _grad_cam(model: Any, x: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    y = called(model, x)
    found = _features(y)
    if found is None:
        return None
    features, channels_first = found
    with scope.recording():
        gradient = gradients(_score(y, classes, model.name), features)
    if gradient is None:
        return None
    a, da = features.numpy(), np.asarray(gradient)  # both (pictures, h, w, channels)
    if channels_first:
        a, da = a.transpose(_TO_LAST), da.transpose(_TO_LAST)
    weights = da.mean((1, 2), keepdims=True)  # (pictures, 1, 1, channels)
    maps = np.maximum((weights * a).sum(-1, keepdims=True), 0)
    maps = np.asarray(ops.image.resize(maps, x.shape[1:3], data_format="channels_last"))
    return relative(maps[..., 0])


def _score(y: Tensor, classes: np.ndarray, name: str) -> Any:
    """The sum of the classes' logits: pictures do not touch, so each has its own."""
    logits, kind = head(y)
    count = max(y.shape[-1], 2)
    if classes.size and not 0 <= classes.min() <= classes.max() < count:
        raise ArgumentError(
            f"Model {name!r} has the classes 0 to {count - 1}; asked for were "
            f"{classes.min()} to {classes.max()}."
        )
    if y.shape[-1] == 1:  # one logit z of two classes: the other's is -z
        return ops.sum(logits * np.where(classes == 1, 1.0, -1.0)[:, None])
    if kind == "linear" and sums_to_one(y.numpy()):
        logits = ops.log(ops.maximum(y, 1e-30))
    chosen = np.zeros(y.shape, y.dtype)
    chosen[np.arange(len(classes)), classes] = 1
    return ops.sum(logits * chosen)


def _features(y: Tensor) -> tuple[Tensor, bool] | None:
    """The last feature maps before pooling; and whether their channels come first."""
    channels_first: dict[Tensor, bool] = {}  # for what a convolution has looked at
    features = None
    for node in topological([y]):
        name, first = node.op.name, None
        known = [channels_first[t] for t in node.inputs if t in channels_first]
        pooled = name.endswith("_pool2d")
        if name in ("conv2d", "depthwise_conv2d"):
            first = False
        elif name == "transpose" and known:
            axes = tuple(node.attrs.get("axes") or ())
            first = {_TO_LAST: False, _TO_FIRST: True}.get(axes)
        elif known:
            first = known[0]
        if first is None:
            continue
        for out in node.outputs[:1]:
            places = out.shape[2:] if first else out.shape[1:3]
            if len(out.shape) != 4 or out.shape[0] != y.shape[0] or max(places) == 1:
                continue
            channels_first[out] = first
            if name != "transpose" and not pooled:
                features = out, first
    return features


def occlusion(
    model: Any,
    x: np.ndarray,
    classes: Any,
    patch: int | None = None,
    stride: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """p(class | picture) - p(class | picture with a patch covered), for every place

    The patch has the mean colour of its picture and slides over it. A pixel's value is
    the mean over all patches that cover it: above 0 where the picture speaks for the
    class, below 0 where it speaks against it.

    Args:
        model: a trained classifier.
        x: pictures as the model takes them, (pictures, height, width, channels).
        classes: the class to explain, one for all pictures or one for each.
        patch: width and height of the patch in pixels; a quarter of the shorter side
            by default.
        stride: pixels from one place to the next; half a patch by default.
        progress: told how many pictures of how many are done.

    Returns:
        (pictures, height, width) float32 from -1 to 1.

    Raises:
        ArgumentError: a patch or stride below 1, or a class that is not there.

    Source: M. D. Zeiler, R. Fergus (2014), Visualizing and Understanding Convolutional
    Networks, ECCV.

    >>> import deepneuron as dn
    >>> model = dn.Sequential([dn.Input((8, 8, 1)), dn.layers.Flatten()])
    >>> model.add(dn.layers.Dense(3, activation="softmax"))
    >>> occlusion(model, np.ones((2, 8, 8, 1), "float32"), 0).max()  # a mean on a mean
    np.float32(0.0)
    """
    height, width = x.shape[1:3]
    patch = max(1, min(height, width) // 4) if patch is None else patch
    stride = max(1, patch // 2) if stride is None else stride
    if patch < 1 or stride < 1:
        raise ArgumentError(
            f"patch and stride must be at least 1; received {patch} and {stride}."
        )
    if stride > patch:
        raise ArgumentError(
            f"A stride of {stride} would skip pixels between patches of {patch}."
        )
    classes = _classes(classes, len(x))
    places = [
        (slice(top, top + patch), slice(left, left + patch))
        for top in _starts(height, patch, stride)
        for left in _starts(width, patch, stride)
    ]
    covers = np.zeros((height, width), "float32")
    for place in places:
        covers[place] += 1
    maps = np.zeros(x.shape[:3], "float32")
    if not len(x):
        return maps
    kind = kind_of(model, x[:1])
    for i, (picture, label) in enumerate(zip(x, classes, strict=True)):
        p = _covered(model, picture, places, kind)
        if not 0 <= label < p.shape[1]:
            raise ArgumentError(
                f"Model {model.name!r} has the classes 0 to {p.shape[1] - 1}; asked "
                f"for was {label}."
            )
        for place, after in zip(places, p[1:, label], strict=True):
            maps[i][place] += p[0, label] - after
        if progress is not None:
            progress(i + 1, len(x))
    return maps / covers


def _covered(
    model: Any, picture: np.ndarray, places: list[tuple[slice, slice]], kind: str
) -> np.ndarray:
    """The answers for the picture, then with each place covered, one row each."""
    mean = picture.mean((0, 1), dtype="float64")
    mean = np.round(mean) if picture.dtype.kind in "iu" else mean
    nowhere = (slice(0, 0), slice(0, 0))
    found = []
    step = batch_size(picture[None], 256)
    for begin in range(0, 1 + len(places), step):
        some = [nowhere, *places][begin : begin + step]
        x = np.repeat(picture[None], len(some), axis=0)
        for row, place in zip(x, some, strict=True):
            row[place] = mean
        found.append(answers(model, x, kind))
    return np.concatenate(found)


def _starts(size: int, patch: int, stride: int) -> list[int]:
    """Where patches begin; the last one ends at the border."""
    last = max(size - patch, 0)
    return [*range(0, last, stride), last]


def _classes(classes: Any, rows: int) -> np.ndarray:
    found = np.asarray(classes)
    if found.dtype.kind not in "iu" or found.shape not in ((), (rows,)):
        raise ArgumentError(
            "classes must be a whole number, or one for each of the "
            f"{rows} pictures; received {classes!r}."
        )
    return np.broadcast_to(found.astype(np.int64), (rows,))


# --- drawing


def relative(maps: np.ndarray) -> np.ndarray:
    """max(0, map) / its maximum, for each map: float32 from 0 to 1, or all 0.

    >>> relative(np.array([[[-1.0, 2.0, 4.0]], [[-1.0, -2.0, 0.0]]]))
    array([[[0. , 0.5, 1. ]],
           [[0. , 0. , 0. ]]], dtype=float32)
    """
    maps = np.maximum(maps, 0)
    peak = maps.max((1, 2), keepdims=True)
    return (maps / np.where(peak > 0, peak, 1)).astype("float32")


def overlay(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The picture in grey under the map in colours, the more opaque the hotter.

    The colours are matplotlib's viridis: equal steps look equal, also to people who do
    not see red and green apart, and it stays in order when it is printed in grey.

    Args:
        picture: uint8, (height, width) or (height, width, 1 or 3).
        heat: (height, width), from 0 to 1; what lies beyond is cut off.

    Returns:
        (height, width, 3) uint8.

    >>> overlay(np.full((1, 2), 100, "uint8"), np.array([[0.0, 1.0]]))
    array([[[100, 100, 100],
            [207, 192,  56]]], dtype=uint8)
    """
    from matplotlib import colormaps

    picture = np.asarray(picture, "float64")
    if picture.ndim == 3:
        weights = (0.299, 0.587, 0.114) if picture.shape[-1] == 3 else (1.0,)
        picture = picture @ np.array(weights)
    heat = np.clip(np.asarray(heat, "float64"), 0, 1)
    colours = 255 * colormaps["viridis"](heat)[..., :3]
    opacity = _OPACITY * heat[..., None]
    mixed = picture[..., None] * (1 - opacity) + colours * opacity
    return np.round(mixed).astype("uint8")
