"""Augmentation: training pictures changed a little and at random, anew in every epoch.

    picture -> mirrored, turned, zoomed, shifted    one affine map, bilinear, in Pillow
            -> more or less contrast                round its mean
            -> a rectangle erased                   filled with its mean colour

Beyond its border a picture on a plain background goes on in the background's colour,
and any other, such as a photograph, with the pixels at the border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from deepneuron.errors import ArgumentError, DataError, UnknownNameError

# The word's number where none is given, and the largest that makes sense.
_NUMBERS = {
    "rotate": (10.0, 180.0),
    "shift": (0.1, 0.5),
    "zoom": (0.1, 0.5),
    "contrast": (0.2, 1.0),
    "erase": (0.25, 1.0),
}
_SWITCHES = ("flip", "flip_vertical")

# Random erasing: the area is so much of the picture's, the sides differ so much.
_ERASED_AREA = (0.02, 0.25)
_ERASED_ASPECT = 3.0

_ONE_COLOUR = 8  # levels between pixels that count as equal: JPEG files are not exact


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a picture; called with a batch and a generator, it happens.

    Attributes:
        flip: mirror left and right, every second picture.
        flip_vertical: mirror top and bottom, every second picture.
        rotate: turn by up to so many degrees, either way.
        shift: by up to this share of the width, and of the height, either way.
        zoom: enlarge or shrink by up to this share.
        contrast: the distance of the pixels from their mean, more or less by up to
            this share.
        erase: how probable it is that a rectangle is covered. (Zhong et al., 2020,
            "Random Erasing Data Augmentation")

    Raises:
        ArgumentError: a number out of its range.

    >>> import numpy as np
    >>> x = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    >>> y = Augmentation(flip=True)(x, np.random.default_rng(2))
    >>> y[0, :, :, 0]
    array([[2, 1, 0],
           [5, 4, 3]], dtype=uint8)
    """

    flip: bool = False
    flip_vertical: bool = False
    rotate: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name, (_, most) in _NUMBERS.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ArgumentError(
                    f"{name} of an augmentation must be a number from 0 to {most:g}; "
                    f"received {value!r}."
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The augmentation of a text such as "flip,rotate=10,shift=0.1", or "none".

        A word without a number has its usual one: rotate=10, shift=0.1, zoom=0.1,
        contrast=0.2, erase=0.25.

        Raises:
            UnknownNameError: a word that means nothing.
            ArgumentError: a number where none belongs, or that is none.

        >>> str(Augmentation.parse("flip, rotate, shift=0.05"))
        'flip,rotate=10,shift=0.05'
        """
        if text.strip() == "none":
            return cls()
        chosen: dict[str, float] = {}
        for part in text.split(","):
            word, equals, number = (p.strip() for p in part.partition("="))
            name = word.replace("-", "_")
            if name not in (*_SWITCHES, *_NUMBERS):
                known = ["none", *_SWITCHES, *_NUMBERS]
                raise UnknownNameError("word for an augmentation", word, known)
            if name in chosen:
                raise ArgumentError(f"{word!r} stands twice in {text!r}.")
            chosen[name] = _number(name, number if equals else None)
        return cls(**chosen)  # type: ignore[arg-type]  # True is a number

    def __str__(self) -> str:
        """What `parse` makes the same augmentation of."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        words = [n if n in _SWITCHES else f"{n}={v:g}" for n, v in values.items() if v]
        return ",".join(words) or "none"

    def describe(self) -> str:
        """What happens to the pictures, in words.

        >>> Augmentation(rotate=10, shift=0.1).describe()
        'turned by up to 10°, shifted by up to 10% of their width and height'
        """
        mirrors = {
            (True, False): "mirrored left to right",
            (False, True): "mirrored top to bottom",
            (True, True): "mirrored left to right and top to bottom",
        }
        share = "{:.3g}%".format
        said = [
            mirrors.get((self.flip, self.flip_vertical)),
            self.rotate and f"turned by up to {self.rotate:g}°",
            self.shift
            and f"shifted by up to {share(100 * self.shift)} of their width and height",
            self.zoom and f"enlarged or shrunk by up to {share(100 * self.zoom)}",
            self.contrast
            and f"with up to {share(100 * self.contrast)} more or less contrast",
            self.erase and f"a rectangle covered in {share(100 * self.erase)} of them",
        ]
        return ", ".join(s for s in said if s) or "left as they are"

    def __call__(self, x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A changed copy of the pictures.

        Args:
            x: (batch, height, width, 1 or 3) uint8.
            generator: what chance says.

        Returns:
            The same shape, uint8.

        Raises:
            DataError: x is no such array.
        """
        if x.ndim != 4 or x.shape[-1] not in (1, 3) or x.dtype != np.uint8:
            raise DataError(
                "An augmentation takes pictures of shape (batch, height, width, 1 or 3)"
                f" and dtype uint8; received {x.shape}, {x.dtype}."
            )
        if self.rotate or self.shift or self.zoom:
            y = warp(x, self._maps(x.shape, generator))
        else:
            y = self._mirrored(x, generator)
        if self.contrast:
            low, high = 1 - self.contrast, 1 + self.contrast
            change_contrast(y, generator.uniform(low, high, len(x)))
        if self.erase:
            _erase(y, self.erase, generator)
        return y

    def _coins(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """Whether each picture is mirrored along x, and along y, (batch, 2)."""
        allowed = np.array([self.flip, self.flip_vertical])
        return generator.integers(0, 2, (count, 2)).astype(bool) & allowed

    def _mirrored(self, x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        y = x.copy()
        along_x, along_y = self._coins(len(x), generator).T
        y[along_x] = y[along_x, :, ::-1]
        y[along_y] = y[along_y, ::-1]
        return y

    def _maps(
        self, shape: tuple[int, ...], generator: np.random.Generator
    ) -> np.ndarray:
        """For each picture the map from a place in y to the place in x, (batch, 2, 3).

        Places are (x, y) with the origin in the upper left corner of the picture, so
        that the middle of the first pixel is (0.5, 0.5).
        """
        count, size = shape[0], np.array([shape[2], shape[1]])  # width, height
        sign = np.where(self._coins(count, generator), -1.0, 1.0)  # (batch, 2)
        angle = np.radians(generator.uniform(-self.rotate, self.rotate, count))
        zoom = generator.uniform(1 - self.zoom, 1 + self.zoom, count)
        shift = generator.uniform(-self.shift, self.shift, (count, 2)) * size
        cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
        turn = np.stack([cos, sin, -sin, cos], -1).reshape(count, 2, 2)
        turn *= sign[:, :, None]
        middle = size / 2
        offset = middle - (turn @ (middle + shift)[:, :, None])[:, :, 0]
        return np.concatenate([turn, offset[:, :, None]], -1)


def warp(x: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """y[p] = x[map(p)], bilinear, with the picture continued beyond its border.

    Args:
        x: (batch, height, width, 1 or 3) uint8.
        maps: an affine map for each picture, (batch, 2, 3): from places (x, y) in the
            result to places in x, which may be between pixels.
    """
    from PIL import Image

    _, height, width, channels = x.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]).T
    reached = maps[:, :, :2] @ corners + maps[:, :, 2:]  # (batch, 2, 4)
    beyond = np.maximum(-reached, reached - np.array([[width], [height]]))
    margin = max(0, math.ceil(beyond.max(initial=0))) + 1
    wide = continued(x, margin)  # Pillow alone would fill in one colour, unblended
    wide = wide[..., 0] if channels == 1 else wide
    maps = maps.copy()
    maps[:, :, 2] += margin
    y = np.empty(x.shape, np.uint8)
    for i, numbers in enumerate(maps.reshape(-1, 6).tolist()):
        picture = Image.fromarray(wide[i]).transform(
            (width, height),
            Image.Transform.AFFINE,
            numbers,
            Image.Resampling.BILINEAR,
        )
        y[i] = np.asarray(picture).reshape(height, width, channels)
    return y


def continued(x: np.ndarray, margin: int) -> np.ndarray:
    """The pictures with so many pixels more on each side.

    Where most of a picture's border has one colour, that is the background, and goes
    on; where it has not, each pixel of the border does.
    """
    sides = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    wide = np.pad(x, sides, "edge")
    # (batch, pixels of the border, channels)
    border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], 1)
    colour = np.median(border, 1, keepdims=True)
    alike = (np.abs(border - colour) <= _ONE_COLOUR).all(-1)
    for i in np.flatnonzero(alike.mean(-1) > 0.5):
        for far in (slice(None, margin), slice(-margin, None)):
            wide[i, far] = wide[i, :, far] = colour[i, 0]
    return wide


def change_contrast(x: np.ndarray, factors: np.ndarray) -> None:
    """x = mean + factor * (x - mean), in place; the mean is that of the picture."""
    mean = x.mean((1, 2, 3))
    levels = np.arange(256.0)
    tables = mean[:, None] + factors[:, None] * (levels - mean[:, None])
    tables = np.clip(np.rint(tables), 0, 255).astype(np.uint8)  # (batch, 256)
    for picture, table in zip(x, tables, strict=True):
        picture[...] = table[picture]


def _erase(x: np.ndarray, probability: float, generator: np.random.Generator) -> None:
    """Cover a rectangle in some of the pictures with their mean colours, in place."""
    count, height, width, _ = x.shape
    chosen = generator.random(count) < probability
    area = generator.uniform(*_ERASED_AREA, count) * height * width
    aspect = np.exp(generator.uniform(-1, 1, count) * math.log(_ERASED_ASPECT))
    place = generator.random((count, 2))
    tall = np.clip(np.rint(np.sqrt(area * aspect)), 1, height).astype(int)
    wide = np.clip(np.rint(np.sqrt(area / aspect)), 1, width).astype(int)
    top = (place[:, 0] * (height - tall + 1)).astype(int)
    left = (place[:, 1] * (width - wide + 1)).astype(int)
    for i in np.flatnonzero(chosen):
        colour = np.rint(x[i].mean((0, 1)))
        x[i, top[i] : top[i] + tall[i], left[i] : left[i] + wide[i]] = colour


def _number(name: str, text: str | None) -> float:
    """The number behind a word."""
    if name in _SWITCHES:
        if text is not None:
            raise ArgumentError(
                f"{name!r} takes no number; received {name}={text}. Write {name!r} "
                "alone, or leave it out."
            )
        return True
    usual, most = _NUMBERS[name]
    if text is None:
        return usual
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(
            f"{name} takes a number from 0 to {most:g}, such as {name}={usual:g}; "
            f"received {name}={text}."
        ) from None


def automatic(
    shape: tuple[int, ...], rows: int, flips: tuple[bool, bool]
) -> tuple[Augmentation, str]:
    """The augmentation for pictures of this shape, and why: mirroring, where allowed.

    Measured with the usual networks and 20 to 25 epochs: mirroring helped a little or
    did no harm (fashion, clip art). Turning by 5° with a shift and zoom of 5%, and a
    shift alone, lost 2 to 6 points of accuracy on clip art of 32x32 and 2 to 3 on
    fashion, and 1 to 2 on digits of 8x8: it takes more epochs to gain by them.

    Args:
        shape: (height, width, channels) of a picture.
        rows: how many there are to learn from.
        flips: whether mirroring left and right, and top and bottom, keeps what a
            picture shows.

    Returns:
        (augmentation, why): the latter a sentence without its full stop.

    >>> augmentation, why = automatic((64, 48, 3), 2000, (True, False))
    >>> str(augmentation)
    'flip'
    """
    height, width, channels = shape
    kind = "grey" if channels == 1 else "colour"
    return Augmentation(*flips), (
        f"{rows:,} {kind} pictures of {width}x{height} are at most mirrored: turned, "
        "shifted or zoomed they would need more epochs than usual"
    )
