"""Pictures and heat maps as `data:` addresses, small enough to stand in a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from markupsafe import Markup

LARGEST = 224  # pixels on the longer side; what is larger is scaled down
SMALL = 96  # up to here every pixel is drawn as a square, and nothing is lost
ORANGE = np.array([255, 140, 20], dtype="float32")  # speaks for the prediction
BLUE = np.array([50, 150, 255], dtype="float32")  # speaks against it


def address(picture: np.ndarray) -> str:
    """The uint8 picture as a `data:` address: PNG where small, JPEG where large.

    Args:
        picture: (h, w), (h, w, 1), (h, w, 3) or, with transparency, (h, w, 4) uint8.
    """
    from PIL import Image

    picture = np.asarray(picture, dtype="uint8")
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    image = Image.fromarray(np.ascontiguousarray(picture))
    lossless = max(image.size) <= SMALL or image.mode == "RGBA"
    if not lossless:
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    if lossless:
        image.save(file, "PNG", optimize=True)
    else:
        image.save(file, "JPEG", quality=86)
    kind = "png" if lossless else "jpeg"
    text = base64.b64encode(file.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{text}"


def img(picture: np.ndarray, alt: str) -> Markup:
    """The picture as an element; one of few pixels shows each of them."""
    height, width = picture.shape[:2]
    kind = "pixels" if max(height, width) <= SMALL else ""
    return Markup('<img class="{}" src="{}" alt="{}" width="{}" height="{}">').format(
        kind, address(picture), alt, width, height
    )


def cam_overlay(picture: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """The picture in grey under an orange light, (h, w, 3) uint8.

    Args:
        picture: (h, w, c) uint8.
        cam: (h, w), 0..1; 1 is all light.
    """
    return _tinted(picture, np.clip(_finite(cam), 0, 1))


def occlusion_overlay(picture: np.ndarray, occlusion: np.ndarray) -> np.ndarray:
    """The picture in grey, orange where it helps and blue where it harms.

    Args:
        picture: (h, w, c) uint8.
        occlusion: (h, w), -1..1; scaled so that its strongest place is all colour.
    """
    heat = _finite(occlusion)
    strongest = np.abs(heat).max(initial=0)
    return _tinted(picture, heat / strongest if strongest > 0 else heat)


def _finite(heat: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.asarray(heat, dtype="float32"), posinf=0, neginf=0)


def _tinted(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Grey, and more of a colour the farther `heat` is from 0."""
    grey, heat = _thumbnail(_grey(picture))[..., None], _thumbnail(heat)  # (h, w, 1)
    colour = np.where(heat[..., None] >= 0, ORANGE, BLUE)  # (h, w, 3)
    share = 0.85 * np.abs(heat[..., None])
    base = 0.75 * grey + 20  # neither black nor white, so that any tint can be seen
    lit = colour * (0.62 + 0.38 * grey / 255)  # the picture shows through its light
    return (base * (1 - share) + lit * share).round().astype("uint8")


def _thumbnail(values: np.ndarray) -> np.ndarray:
    """The values, (h, w) float32, with no side longer than LARGEST."""
    from PIL import Image

    image = Image.fromarray(values)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _grey(picture: np.ndarray) -> np.ndarray:
    """How bright each pixel looks, (h, w) float32, 0..255."""
    pixels = np.asarray(picture, dtype="float32")
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[-1] < 3:
        return pixels[..., 0]
    return pixels[..., :3] @ np.array([0.299, 0.587, 0.114], dtype="float32")


def sheet(filters: np.ndarray, columns: int) -> np.ndarray:
    """Kernels side by side, transparent gaps between them, as one RGBA picture.

    Args:
        filters: (n, kh, kw, c) uint8.
    """
    n, height, width, channels = filters.shape
    rows = -(-n // columns)
    gap = max(1, width // 8)
    whole = np.zeros(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 4), dtype="uint8"
    )
    for i, kernel in enumerate(filters):
        top, left = (height + gap) * (i // columns), (width + gap) * (i % columns)
        place = whole[top : top + height, left : left + width]
        shown = kernel[..., :3] if channels >= 3 else kernel[..., :1]
        place[..., :3], place[..., 3] = shown, 255
    return whole


def confusion_picture(shares: np.ndarray) -> np.ndarray:
    """A confusion matrix of many classes as a picture, (k, k, 4) uint8.

    What is right is blue and what is wrong orange; nothing at all is transparent.

    Args:
        shares: (k, k) 0..1; of each true class (row), the share of each prediction.
    """
    k = len(shares)
    whole = np.zeros((k, k, 4), dtype="uint8")
    right = np.eye(k, dtype=bool)[..., None]
    whole[..., :3] = np.where(right, BLUE, ORANGE).astype("uint8")
    alpha = 0.35 + 0.65 * np.sqrt(np.clip(shares, 0, 1))  # one mistake is seen, too
    whole[..., 3] = (255 * alpha * (shares > 0)).round().astype("uint8")
    return whole
