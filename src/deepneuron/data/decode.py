"""Decoding: a file becomes upright pixels, grey or RGB, or one reason why it does not.

What is done to a file, so that its pixels mean the same as any other's:

    EXIF orientation      turned upright
    animation, pages      the first frame
    palette, CMYK, YCbCr, HSV, LAB   to RGB; ICC profiles are not applied
    transparency          laid over white
    1 bit                 0 and 255
    16 bits               / 257, rounded, so that 65535 is 255 (12 bits: 4095 is 255)
    32 bits, float        by the picture's own range: lowest 0, highest 255
    JPEG                  decoded at 1/2, 1/4 or 1/8 if that is still at least twice
                          the size that it is fitted into (in `fit`, and in a store)

PNG, JPEG, BMP, GIF, WebP, TIFF and PPM are read, whatever the file is called, and
nothing else: no format of theirs runs another program.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

from deepneuron.errors import PictureError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# A file by its path, its bytes, an open file; or pixels as an array or Pillow's.
Source: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | np.ndarray | Image"
Shape: TypeAlias = tuple[int, int, int]  # (height, width, channels)

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")

# Pillow warns of more, and its own limit is twice that.
MOST_PIXELS = 89_000_000
MOST_BYTES = 1 << 30
# Larger ones wait for one another: the memory of many threads stays that of one.
_LARGE_PICTURE = 16_000_000
_one_large_picture = threading.Lock()
# Up to here a file is read at once; beyond, Pillow takes what it needs.
_SMALL_FILE = 1 << 24

_CUT_OFF = re.compile("truncated|not enough image data|EOF", re.IGNORECASE)
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0


@dataclass(frozen=True)
class Header:
    """What a file says of its picture: upright size, mode and format of the file."""

    width: int
    height: int
    mode: str
    format: str


def read_picture(source: Source) -> Image:
    """The picture in a file, upright, in mode L (grey) or RGB.

    Args:
        source: a path, the bytes of a file, an open binary file, a uint8 or uint16
            array (height, width) or (height, width, channels) with 1 to 4 channels, or
            a picture of Pillow.

    Returns:
        A picture of Pillow in full size. The rules are those above.

    Raises:
        PictureError: why there is none, in half a sentence: "it is cut off".

    Pillow's own warnings, of metadata that it cannot read, are left to the caller's
    filters: those belong to the whole process, and this may run in many threads.

    >>> read_picture(np.full((2, 3, 4), [255, 0, 0, 128], np.uint8)).getpixel((0, 0))
    (255, 127, 127)
    """
    from PIL import Image

    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        with picture_errors():
            return upright(source)
    with open_picture(source) as picture:
        return upright(picture)


def read_header(source: str | os.PathLike[str] | bytes | IO[bytes]) -> Header:
    """Size, mode and format of the picture in a file; no pixel is decoded.

    Raises:
        PictureError: the file cannot be opened, or holds no picture.
    """
    with open_picture(source) as picture:
        return header_of(picture)


def fit(picture: Source, shape: Shape) -> np.ndarray:
    """The picture as uint8 of that shape: scaled until it fits, centred, filled up.

    Proportions are kept. What remains free on two sides is filled with the median
    colour of the picture's border. Pixels of a picture that fits already are unchanged.

    Args:
        picture: what `read_picture` returns, or whatever it takes. A picture of Pillow
            in mode L or RGB is taken as it is.
        shape: (height, width, channels), of which channels is 1 (grey) or 3 (RGB).

    Returns:
        A new array (height, width, channels), 0 to 255.

    Raises:
        PictureError: there is no picture in it.

    >>> fit(np.array([[9, 9], [9, 255]], np.uint8), (2, 4, 1))[:, :, 0]
    array([[  9,   9,   9,   9],
           [  9,   9, 255,   9]], dtype=uint8)
    """
    from PIL import Image

    height, width, channels = shape
    if isinstance(picture, Image.Image) and picture.mode in ("L", "RGB"):
        image: Image.Image = picture
    elif isinstance(picture, (Image.Image, np.ndarray)):
        image = read_picture(picture)
    else:
        with open_picture(picture) as file:
            image = upright(file, shape)
    wanted = "L" if channels == 1 else "RGB"
    if image.mode != wanted:
        image = image.convert(wanted)
    size = fitted_size(image.size, shape)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    x = np.array(image, np.uint8).reshape(size[1], size[0], channels)
    if size == (width, height):
        return x
    border = np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]])  # (pixels, channels)
    y = np.empty(shape, np.uint8)
    y[:] = np.sort(border, axis=0)[len(border) // 2]
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    y[top : top + size[1], left : left + size[0]] = x
    return y


def fitted_size(size: tuple[int, int], shape: Shape) -> tuple[int, int]:
    """(width, height) of a picture of that size once it fits into the shape."""
    (width, height), (rows, columns, _) = size, shape
    scale = min(columns / width, rows / height)
    return (
        min(columns, max(1, round(width * scale))),
        min(rows, max(1, round(height * scale))),
    )


# ---------------------------------------------------------------- opening


@contextmanager
def open_picture(
    source: str | os.PathLike[str] | bytes | IO[bytes],
) -> Iterator[ImageFile]:
    """A file of which the header is read; all errors in the block are PictureErrors."""
    with picture_errors(), open_file(source) as file:
        yield identify(file)


@contextmanager
def picture_errors() -> Iterator[None]:
    """Pillow's readers raise whatever comes over damaged bytes: it gets one name."""
    try:
        yield
    except PictureError:
        raise
    except Exception as error:
        raise PictureError(_reason(error)) from error


@contextmanager
def open_file(
    source: str | os.PathLike[str] | bytes | IO[bytes],
) -> Iterator[IO[bytes]]:
    """The bytes of a regular file; of a pipe or a device not one is touched."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        if not source:
            raise PictureError("it is empty (0 bytes)")
        yield BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        # Asked before it is opened: opening a pipe waits for someone who writes.
        size = _size_of_file(path)
        with path.open("rb") as file:
            yield BytesIO(file.read()) if size <= _SMALL_FILE else file
    else:
        yield source


def _size_of_file(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise PictureError("it is a link that leads nowhere") from None
        raise
    except ValueError:  # a name that no file can have
        raise PictureError("there is no such file") from None
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise PictureError(f"it is {kinds.get(kind, 'something')}, and no file")
    if status.st_size == 0:
        raise PictureError("it is empty (0 bytes)")
    if status.st_size > MOST_BYTES:
        raise PictureError(f"it is too large ({status.st_size / 1e9:.1f} GB)")
    return status.st_size


def identify(file: IO[bytes]) -> ImageFile:
    """The picture of a file, by its first bytes; only its header is read.

    `Image.open` would warn of large pictures, through filters that all threads share,
    and try formats that we do not want.
    """
    from PIL import (
        BmpImagePlugin,  # noqa: F401 - importing them registers them
        GifImagePlugin,  # noqa: F401 - as above
        Image,
        JpegImagePlugin,
        PngImagePlugin,  # noqa: F401 - as above
        PpmImagePlugin,  # noqa: F401 - as above
        TiffImagePlugin,  # noqa: F401 - as above
        WebPImagePlugin,  # noqa: F401 - as above
    )

    start = file.tell()
    prefix = file.read(16)
    file.seek(start)
    for name in FORMATS:
        factory: Any
        factory, accept = Image.OPEN[name]
        if accept is not None and accept(prefix) is not True:
            continue
        if name == "JPEG":  # the factory would look for further pictures in the file
            factory = JpegImagePlugin.JpegImageFile
        try:
            picture: ImageFile = factory(file, None)
        except SyntaxError as error:
            raise PictureError("its header is damaged or cut off") from error
        _check_pixels(picture.width * picture.height)
        return picture
    raise PictureError("it is no picture that Pillow can read")


def header_of(picture: ImageFile) -> Header:
    """Size as it will be once it is upright, mode and format of the file."""
    width, height = picture.size
    if picture.format == "TIFF":
        # Some versions of Pillow have turned this size already, others have not.
        tags: Any = getattr(picture, "tag_v2", {})
        width, height = tags.get(256, width), tags.get(257, height)
    if _orientation(picture) >= 5:
        width, height = height, width
    return Header(int(width), int(height), picture.mode, picture.format or "")


def _check_pixels(count: int) -> None:
    if count > MOST_PIXELS:
        raise PictureError(f"it would unpack to {count / 1e6:,.0f} million pixels")


def _reason(error: Exception) -> str:
    """Half a sentence on why a file cannot be read."""
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, OSError) and error.errno is not None:
        return {
            errno.ENOENT: "there is no such file",
            errno.ENOTDIR: "there is no such file",
            errno.EACCES: "permission is denied",
            errno.EPERM: "permission is denied",
            errno.ELOOP: "it is a link that leads in a circle",
            errno.ENAMETOOLONG: "its name is too long",
        }.get(error.errno, f"it cannot be read ({error.strerror})")
    text = " ".join(str(error).split())
    if type(error).__name__ == "DecompressionBombError":
        number = re.search(r"\d+", text)
        count = int(number[0]) if number else MOST_PIXELS
        return f"it would unpack to {count / 1e6:,.0f} million pixels"
    if isinstance(error, EOFError) or _CUT_OFF.search(text):
        return "it is cut off"
    # What Pillow says itself is of use, but not in which line of Python it failed.
    text = text.removesuffix(" when reading image file")
    told = isinstance(error, OSError) and text and "decoder" not in text
    return f"it is damaged ({text[:80]})" if told else "it is damaged"


# ---------------------------------------------------------------- pixels


def upright(picture: Image, shape: Shape | None = None) -> Image:
    """Decode: the pixels in mode L or RGB, upright.

    Args:
        picture: what `identify` returns, or any other picture of Pillow.
        shape: into which it is to be fitted; a JPEG, and any large picture, may then
            come back smaller, but at least twice as large as it is fitted.
    """
    turn = _orientation(picture)
    if shape is not None and picture.format == "JPEG":
        draft = "L" if shape[2] == 1 else None
        picture.draft(draft, _enough(picture.size, shape, turn))
    large = picture.width * picture.height > _LARGE_PICTURE
    with _one_large_picture if large else nullcontext():
        picture.load()
        if picture.format == "TIFF":  # Pillow turns these while it loads them
            turn = _orientation(picture)
        image = _flatten(picture)
        if large and shape is not None:
            image = _shrink(image, _enough(image.size, shape, turn))
    if turn == 1:
        return image
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[turn])


def _enough(size: tuple[int, int], shape: Shape, turn: int) -> tuple[int, int]:
    """The size down to which pixels may be averaged coarsely: twice what is wanted."""
    height, width, channels = shape
    box = (width, height, channels) if turn >= 5 else shape
    wanted = fitted_size(size, box)
    return 2 * wanted[0], 2 * wanted[1]


def _shrink(image: Image, size: tuple[int, int]) -> Image:
    """The picture averaged down to that size, or as it is if it is no larger."""
    from PIL.Image import Resampling

    if image.width <= size[0] or image.height <= size[1]:
        return image
    return image.resize(size, Resampling.BOX, reducing_gap=2.0)


def _orientation(picture: Image) -> int:
    """1 to 8; metadata that is damaged does not make a picture unreadable."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - whatever Pillow meets in damaged bytes
        return 1
    return orientation if orientation in range(1, 9) else 1


def _flatten(image: Image) -> Image:
    """Mode L or RGB, whatever the mode was; transparency laid over white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _narrow(image)
    if image.has_transparency_data:
        return _over_white(image)
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _over_white(image: Image) -> Image:
    from PIL.Image import new

    grey = image.mode in ("1", "L", "LA", "La")
    key = image.info.get("transparency")
    if isinstance(key, tuple) and max(key) > 255:  # of 16 bits, in a picture of now 8
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in key)
    image = image.convert("LA" if grey else "RGBA")
    alpha = image.getchannel("A")
    pixels = image.convert("L") if grey else image
    white = new("L" if grey else "RGB", image.size, "white")
    white.paste(pixels, mask=alpha)
    return white


def _narrow(image: Image) -> Image:
    """More than 8 bits of grey, scaled to 8."""
    from PIL.Image import fromarray

    x = np.asarray(image)  # (height, width)
    # Older versions of Pillow keep the 16 bits of these two formats in 32.
    wide = image.mode == "F" or (
        image.mode == "I" and image.format not in ("PNG", "PPM")
    )
    if wide:
        return fromarray(_by_range(x))
    x = x.clip(0, 65535).astype(np.uint16)
    tags: Any = getattr(image, "tag_v2", {})
    if tags.get(_BITS_PER_SAMPLE) == (12,):
        x = x.clip(0, 4095)
        x = (x << 4) | (x >> 8)
    y = by_257(x)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        y = 255 - y
    key = image.info.get("transparency")
    if isinstance(key, int):
        y[x == key] = 255
    return fromarray(y)


def by_257(x: np.ndarray) -> np.ndarray:
    """round(x / 257) of uint16, in uint16 throughout: 0 is 0 and 65535 is 255.

    >>> by_257(np.array([0, 128, 129, 65535], np.uint16))
    array([  0,   0,   1, 255], dtype=uint8)
    """
    return (x // 257 + (x % 257 > 128)).astype(np.uint8)


def _by_range(x: np.ndarray) -> np.ndarray:
    """255 (x - lowest) / (highest - lowest); NaN is 0, one value everywhere too."""
    y = np.zeros(x.shape, np.uint8)
    rows = max(1, (1 << 20) // x.shape[1])  # in pieces: the sums are float64
    pieces = [slice(i, i + rows) for i in range(0, len(x), rows)]
    lowest, highest = np.inf, -np.inf
    for piece in pieces:
        finite = x[piece][np.isfinite(x[piece])]
        if finite.size:
            lowest = min(lowest, float(finite.min()))
            highest = max(highest, float(finite.max()))
    if not lowest < highest:
        return y
    for piece in pieces:
        values = np.nan_to_num(
            x[piece].astype(np.float64), nan=lowest, posinf=highest, neginf=lowest
        )
        y[piece] = np.rint((values - lowest) / (highest - lowest) * 255)
    return y


def _from_array(x: np.ndarray) -> Image:
    from PIL.Image import fromarray

    y = x[:, :, 0] if x.ndim == 3 and x.shape[2] == 1 else x
    channels = 1 if y.ndim == 2 else y.shape[-1]
    if y.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or 0 in y.shape:
        raise PictureError(f"it is an array of shape {x.shape}, and no picture")
    if y.dtype == np.bool_:
        y = y.astype(np.uint8) * 255
    elif y.dtype == np.uint16:
        y = by_257(y)
    elif y.dtype != np.uint8:
        raise PictureError(
            f"it is an array of {x.dtype}, where pixels are uint8, 0 to 255"
        )
    return _flatten(fromarray(np.ascontiguousarray(y)))
