"""Every mode and format against what the file was made of; damaged files fail aloud."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from deepneuron.data import decode
from deepneuron.data.decode import fit, read_header, read_picture
from deepneuron.errors import DataError, PictureError

rng = np.random.default_rng(3)
GREY = rng.integers(0, 256, (5, 7), np.uint8)
RGB = rng.integers(0, 256, (5, 7, 3), np.uint8)
ALPHA = rng.integers(0, 256, (5, 7), np.uint8)


def encoded(image, name, **options):
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def pixels(source):
    image = read_picture(source)
    assert image.mode in ("L", "RGB")
    return np.asarray(image)


def over_white(colour, alpha):
    alpha = alpha / 255 if colour.ndim == 2 else alpha[..., None] / 255
    return colour * alpha + 255 * (1 - alpha)


def png(header, rows, *chunks):
    """A PNG written out by hand: (width, height, bits, colour type), raw rows."""

    def chunk(kind, body):
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    body = [(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0)), *chunks]
    body += [(b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in body)


# ---------------------------------------------------------------- modes and formats


@pytest.mark.parametrize("name", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
def test_grey_is_read_as_it_was_written(name):
    np.testing.assert_array_equal(
        fit(encoded(Image.fromarray(GREY), name), (5, 7, 1))[..., 0], GREY
    )


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_colours_are_read_as_they_were_written(name):
    options = {"lossless": True} if name == "WEBP" else {}
    data = encoded(Image.fromarray(RGB), name, **options)
    np.testing.assert_array_equal(pixels(data), RGB)
    assert read_header(data) == decode.Header(7, 5, "RGB", name)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_is_read_about_as_it_was_written(mode):
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2
    image = Image.fromarray(smooth).convert(mode)
    found = pixels(encoded(image, "JPEG", quality=95))
    assert read_picture(encoded(image, "JPEG")).mode == mode
    assert abs(found.astype(int) - np.asarray(image)).max() <= 4


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "PPM"])
def test_one_bit_is_black_or_white(name):
    bits = GREY > 128
    found = pixels(encoded(Image.fromarray(bits), name))
    np.testing.assert_array_equal(found, np.where(bits, 255, 0))


PALETTE = rng.integers(0, 256, (16, 3), np.uint8)
INDEX = rng.integers(0, 16, (5, 7), np.uint8)


def palette_image():
    image = Image.frombytes("P", (7, 5), INDEX.tobytes())
    image.putpalette(PALETTE.tobytes())
    return image


@pytest.mark.parametrize("name", ["PNG", "BMP", "GIF", "TIFF"])
def test_a_palette_gives_its_colours(name):
    found = pixels(encoded(palette_image(), name))
    np.testing.assert_array_equal(found, PALETTE[INDEX])


@pytest.mark.parametrize("name", ["PNG", "GIF"])
def test_a_transparent_entry_of_a_palette_is_white(name):
    found = pixels(encoded(palette_image(), name, transparency=3))
    expected = PALETTE[INDEX]
    expected[INDEX == 3] = 255
    np.testing.assert_array_equal(found, expected)


def test_a_palette_of_many_transparencies_lies_over_white():
    alphas = np.arange(0, 256, 17).astype(np.uint8)
    found = pixels(encoded(palette_image(), "PNG", transparency=alphas.tobytes()))
    expected = over_white(PALETTE[INDEX], alphas[INDEX])
    assert abs(found - expected).max() <= 1


@pytest.mark.parametrize("name", ["PNG", "TIFF", "WEBP"])
def test_alpha_lies_over_white(name):
    image = Image.fromarray(np.dstack([RGB, ALPHA]))
    options = {"lossless": True, "exact": True} if name == "WEBP" else {}
    found = pixels(encoded(image, name, **options))
    assert abs(found - over_white(RGB, ALPHA)).max() <= 1


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_grey_with_alpha_lies_over_white_and_stays_grey(name):
    found = pixels(encoded(Image.fromarray(np.dstack([GREY, ALPHA])), name))
    assert found.ndim == 2
    assert abs(found - over_white(GREY, ALPHA)).max() <= 1


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA"])
def test_other_alphas_of_pillow_lie_over_white(mode):
    colour = GREY if mode == "La" else PALETTE[INDEX]
    if mode == "PA":
        image = palette_image().convert("PA")
        image.putalpha(Image.fromarray(ALPHA))
    else:
        image = Image.fromarray(np.dstack([colour, ALPHA])).convert(mode)
    assert image.mode == mode
    # What is multiplied with a small alpha, and divided again, has lost some bits.
    assert abs(pixels(image) - over_white(colour, ALPHA)).max() <= 2


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_grey_of_a_png_is_white(bits):
    grey = np.array([[0, 5, 200], [5, 255, 5]]) * (257 if bits == 16 else 1)
    rows = [row.astype(f">u{bits // 8}").tobytes() for row in grey]
    key = struct.pack(">H", grey[0, 1])
    data = png((3, 2, bits, 0), rows, (b"tRNS", key))
    np.testing.assert_array_equal(pixels(data), [[0, 255, 200], [255, 255, 255]])


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_of_a_png_is_white(bits):
    colours = np.array([[[1, 2, 3], [9, 8, 7]]]) * (257 if bits == 16 else 1)
    rows = [row.astype(f">u{bits // 8}").tobytes() for row in colours]
    key = struct.pack(">3H", *colours[0, 1])
    data = png((2, 1, bits, 2), rows, (b"tRNS", key))
    np.testing.assert_array_equal(pixels(data), [[[1, 2, 3], [255, 255, 255]]])


def test_cmyk_is_ink_on_white():
    ink = rng.integers(0, 256, (5, 7, 4), np.uint8)
    image = Image.frombytes("CMYK", (7, 5), ink.tobytes())
    expected = (1 - ink[..., :3] / 255) * (1 - ink[..., 3:] / 255) * 255
    assert abs(pixels(encoded(image, "TIFF")) - expected).max() <= 1


@pytest.mark.parametrize("transform", [0, 2])
def test_cmyk_and_ycck_jpegs_are_ink_on_white(transform):
    """Adobe's, which hold the inverse of every ink; YCCK is their RGB as YCbCr."""
    inks = (40, 90, 160, 30)
    image = Image.new("CMYK", (16, 16), inks)
    data = bytearray(encoded(image, "JPEG", quality=100, subsampling=0))
    marker = data.index(b"Adobe")
    was, data[marker + 11] = data[marker + 11], transform
    c, m, y, k = (np.float64(ink) for ink in inks)
    if was != transform:
        first, second, third = 255 - c, 255 - m, 255 - y  # what the file holds
        assert (was, transform) in ((0, 2), (2, 0))
        if was == 0:  # ... is now taken for YCbCr, of 255 - CMY
            cb, cr = second - 128, third - 128
            rgb = first + np.array(
                [1.402 * cr, -0.344136 * cb - 0.714136 * cr, 1.772 * cb]
            )
            # The C, M, Y that libjpeg computes are 255 - RGB, stored inverted again.
            c, m, y = np.clip(rgb, 0, 255)
        else:
            r, g, b = c, m, y
            cb = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b
            cr = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b
            luma = 0.299 * r + 0.587 * g + 0.114 * b
            c, m, y = 255 - luma, 255 - cb, 255 - cr
    expected = (255 - np.array([c, m, y])) * (255 - k) / 255
    assert abs(pixels(bytes(data))[8, 8] - expected).max() <= 3


def test_lab_is_what_the_formula_says():
    """CIE L*a*b* of D50, over XYZ adapted to D65, to sRGB."""
    lab = np.array([[[50.0, 20, -30], [80, -10, 40], [20, 5, 5], [95, 0, 0]]])
    raw = np.rint(np.dstack([lab[..., 0] * 2.55, lab[..., 1:]]))
    stored = np.dstack([raw[..., 0], raw[..., 1:].astype(np.int8).view(np.uint8)])
    image = Image.frombytes("LAB", (4, 1), stored.astype(np.uint8).tobytes())
    fy = (lab[..., 0] + 16) / 116
    f = np.dstack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    xyz *= [0.9642, 1, 0.8249]
    to_srgb = np.array(  # D50 to linear sRGB, Bradford (B. Lindbloom)
        [
            [3.1338561, -1.6168667, -0.4906146],
            [-0.9787684, 1.9161415, 0.0334540],
            [0.0719453, -0.2289914, 1.4052427],
        ]
    )
    linear = np.clip(xyz @ to_srgb.T, 0, 1)
    expected = 255 * np.where(
        linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear
    )
    assert abs(pixels(encoded(image, "TIFF")).astype(float) - expected).max() <= 3


@pytest.mark.parametrize("mode", ["HSV", "YCbCr"])
def test_other_colours_come_back_as_they_went(mode):
    image = Image.fromarray(RGB).convert(mode)
    source = encoded(image, "TIFF") if mode == "YCbCr" else image
    assert abs(pixels(source).astype(int) - RGB).max() <= (6 if mode == "HSV" else 3)


def test_sixteen_bits_are_divided_by_257():
    every = np.arange(65536, dtype=np.uint16)
    expected = [round(value / 257) for value in every.tolist()]
    np.testing.assert_array_equal(decode.by_257(every), expected)
    deep = rng.integers(0, 65536, (5, 7)).astype(np.uint16)
    rows = [row.astype(">u2").tobytes() for row in deep]
    sources = {
        "array": deep,
        "png": png((7, 5, 16, 0), rows),
        "tiff": encoded(Image.fromarray(deep), "TIFF"),
        "big-endian": Image.frombytes("I;16B", (7, 5), deep.astype(">u2").tobytes()),
        "pgm": b"P5 7 5 65535\n" + b"".join(rows),
        "compressed": encoded(Image.fromarray(deep), "TIFF", compression="tiff_lzw"),
    }
    for name, source in sources.items():
        np.testing.assert_array_equal(pixels(source), np.rint(deep / 257), name)


@pytest.mark.parametrize("maxval", [15, 1023])
def test_a_pgm_is_scaled_by_its_own_largest_value(maxval):
    grey = np.array([[0, 3, maxval // 2, maxval]])
    kind = ">u2" if maxval > 255 else "u1"
    data = f"P5 4 1 {maxval}\n".encode() + grey.astype(kind).tobytes()
    assert abs(pixels(data) - grey / maxval * 255).max() <= 0.51


def tiff(width, height, tags, body):
    """A TIFF with one strip, written out by hand: {tag: (type, value)}."""
    tags = {
        256: (4, width),
        257: (4, height),
        259: (3, 1),
        273: (4, 8),
        277: (3, 1),
        278: (4, height),
        279: (4, len(body)),
        **tags,
    }
    entries = b""
    for tag, (kind, value) in sorted(tags.items()):
        packed = struct.pack("<HH" if kind == 3 else "<I", *[value, 0][: 5 - kind])
        entries += struct.pack("<HHI", tag, kind, 1) + packed
    start = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    return start + body + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_a_tiff_of_which_zero_is_white_is_turned_over():
    deep = np.array([[0, 1000, 65535]], "<u2")
    data = tiff(3, 1, {258: (3, 16), 262: (3, 0)}, deep.tobytes())
    np.testing.assert_array_equal(pixels(data), [[255, 251, 0]])


def test_twelve_bits_fill_the_range():
    body = bytes([0xFF, 0xF0, 0x00, 0x80, 0x00, 0x00])  # 4095, 0, 2048, 0
    data = tiff(4, 1, {258: (3, 12), 262: (3, 1)}, body)
    np.testing.assert_array_equal(pixels(data), [[255, 0, 128, 0]])


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_32_bits_are_scaled_by_their_own_range(dtype):
    values = np.array([[-300, 0, 700, 200]], dtype)
    for source in (Image.fromarray(values), encoded(Image.fromarray(values), "TIFF")):
        np.testing.assert_array_equal(pixels(source), [[0, 76, 255, 128]])


def test_numbers_that_are_none_and_one_value_everywhere_do_no_harm():
    values = np.array([[np.nan, 1, 3, np.inf, -np.inf]], np.float32)
    np.testing.assert_array_equal(
        pixels(Image.fromarray(values)), [[0, 0, 255, 255, 0]]
    )
    for value in (7.0, np.nan):
        same = np.full((2, 2), value, np.float32)
        np.testing.assert_array_equal(pixels(Image.fromarray(same)), np.zeros((2, 2)))
    widest = np.array([[-3e38, 3e38]], np.float32)
    np.testing.assert_array_equal(pixels(Image.fromarray(widest)), [[0, 255]])


def test_sixteen_bit_colours_keep_their_high_bytes():
    deep = rng.integers(0, 65536, (5, 7, 3))
    rows = [row.astype(">u2").tobytes() for row in deep]
    found = pixels(png((7, 5, 16, 2), rows))
    assert abs(found - deep / 257).max() <= 1


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(name):
    frames = [Image.new("RGB", (9, 6), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if name == "WEBP" else {}
    data = encoded(frames[0], name, save_all=True, append_images=frames[1:], **options)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 3
    expected = np.broadcast_to(np.array([255, 0, 0], np.uint8), (6, 9, 3))
    np.testing.assert_array_equal(pixels(data), expected)


def test_an_icc_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(Image.fromarray(RGB), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(pixels(data), RGB)


def test_a_jpeg_of_several_pictures_is_its_first():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert read_header(data).format == "JPEG"
    assert abs(pixels(data)[8, 8].astype(int) - [255, 0, 0]).max() <= 2


# ---------------------------------------------------------------- orientation

# Where the corner that is first in the file belongs: (row, column) of (-1: last).
CORNERS = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (0, -1),
    7: (-1, -1),
    8: (-1, 0),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "LZW"])
def test_pictures_are_turned_upright(orientation, name):
    image = Image.new("L", (48, 16))
    image.paste(255, (0, 0, 8, 8))
    image.paste(128, (40, 0, 48, 8))  # the end of the first row
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"compression": "tiff_lzw"} if name == "LZW" else {}
    data = encoded(image, "TIFF" if name == "LZW" else name, exif=exif, **options)
    found = np.asarray(read_picture(data).convert("L"))
    size = (48, 16) if orientation >= 5 else (16, 48)
    assert found.shape == size
    header = read_header(data)
    assert (header.height, header.width) == size
    row, column = CORNERS[orientation]
    assert found[row, column] > 240
    # The first row runs downwards or upwards where the picture lay on its side.
    if orientation >= 5:
        row = -1 - row
    else:
        column = -1 - column
    assert 100 < found[row, column] < 160


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_there_is_not_is_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(RGB), "PNG", exif=exif)
    np.testing.assert_array_equal(pixels(data), RGB)


# ---------------------------------------------------------------- fitting


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 30))
@settings(deadline=None, max_examples=60)
def test_what_is_fitted_keeps_its_proportions_and_its_middle(h, w, height, width):
    x = np.full((h, w), 40, np.uint8)
    y = fit(x, (height, width, 1))
    assert y.shape == (height, width, 1)
    assert (y == 40).all()  # also what is filled up: the border's colour
    columns, rows = decode.fitted_size((w, h), (height, width, 1))
    assert columns == width or rows == height
    assert columns <= width
    assert rows <= height
    scale = min(width / w, height / h)
    assert abs(columns - w * scale) <= 1
    assert abs(rows - h * scale) <= 1


def test_what_remains_free_has_the_border_s_median_colour():
    x = np.full((4, 8, 3), [10, 20, 30], np.uint8)
    x[1:3, 2:6] = 200
    x[0, :3] = 250  # less than half of the border
    y = fit(x, (8, 8, 3))
    np.testing.assert_array_equal(y[2:6], x)
    for rows in (y[:2], y[6:]):
        assert (rows == [10, 20, 30]).all()


def test_grey_and_colour_become_one_another():
    np.testing.assert_array_equal(fit(GREY, (5, 7, 3)), GREY[..., None].repeat(3, 2))
    found = fit(RGB, (5, 7, 1))[..., 0]
    assert abs(found - RGB @ [0.299, 0.587, 0.114]).max() <= 0.51


def test_shrinking_averages_and_leaves_the_source_alone():
    board = np.indices((64, 64)).sum(axis=0) % 2 * 200
    x = board.astype(np.uint8)
    y = fit(x, (16, 16, 1))
    assert abs(y.astype(int) - 100).max() <= 8
    image = Image.fromarray(GREY)
    fit(image, (5, 7, 1))[:] = 0
    np.testing.assert_array_equal(np.asarray(image), GREY)


def test_a_jpeg_that_is_decoded_smaller_looks_the_same():
    field = rng.normal(size=(2, 40, 60))
    smooth = np.asarray(
        Image.fromarray((field[0] * 40 + 128).clip(0, 255).astype(np.uint8)).resize(
            (640, 480), Image.Resampling.BICUBIC
        )
    )
    data = encoded(Image.fromarray(np.dstack([smooth, smooth[::-1], smooth])), "JPEG")
    for shape in ((48, 64, 3), (64, 64, 1), (30, 90, 3)):
        full = fit(read_picture(data), shape).astype(int)
        with decode.open_picture(data) as file:
            small = decode.upright(file, shape)
        assert max(small.size) < 640
        wanted = decode.fitted_size((640, 480), shape)
        assert small.width >= 2 * wanted[0]
        assert small.height >= 2 * wanted[1]
        difference = abs(fit(small, shape).astype(int) - full)
        assert difference.mean() < 2
        assert np.percentile(difference, 99) < 12


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_large_pictures_wait_for_one_another_and_look_the_same(
    name, orientation, monkeypatch
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = photo((16, 12)).resize((640, 480), Image.Resampling.BICUBIC)
    data = encoded(image, name, exif=exif)
    shape = (32, 48, 3)
    usual = fit(data, shape).astype(int)
    monkeypatch.setattr(decode, "_LARGE_PICTURE", 1000)
    taken = []

    class Lock:
        def __enter__(self):
            taken.append(True)

        def __exit__(self, *_):
            taken.append(False)

    monkeypatch.setattr(decode, "_one_large_picture", Lock())
    with decode.open_picture(data) as file:
        small = decode.upright(file, shape)
    assert taken == [True, False]
    wanted = decode.fitted_size(small.size, shape)
    assert 2 * wanted[0] <= small.width < 640
    assert 2 * wanted[1] <= small.height < 480
    assert abs(fit(data, shape) - usual).mean() < 2


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((2, 2, 5), np.uint8),
        np.zeros((2, 2), np.float32),
        np.zeros(3, np.uint8),
        np.zeros((0, 3), np.uint8),
    ],
)
def test_an_array_that_is_no_picture_is_named(x):
    with pytest.raises(PictureError, match="it is an array of"):
        fit(x, (4, 4, 1))


def test_arrays_may_have_one_to_four_channels():
    np.testing.assert_array_equal(pixels(GREY[..., None]), GREY)
    np.testing.assert_array_equal(pixels(GREY > 99), (GREY > 99) * 255)
    np.testing.assert_array_equal(pixels(RGB), RGB)
    for colour in (GREY, RGB):
        found = pixels(np.dstack([colour, ALPHA]))
        assert abs(found - over_white(colour, ALPHA)).max() <= 1


# ---------------------------------------------------------------- what is no picture


def reason(source):
    with pytest.raises(PictureError) as caught:
        read_picture(source)
    assert isinstance(caught.value, DataError)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_reason_is_half_a_sentence(tmp_path):
    def file(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    assert reason(file("a.png", b"")) == "it is empty (0 bytes)"
    assert reason(b"") == "it is empty (0 bytes)"
    foreign = "it is no picture that Pillow can read"
    assert reason(file("b.png", b"hello, I am no picture")) == foreign
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == foreign
    assert reason(b"%PDF-1.4") == foreign
    assert reason(tmp_path) == "it is a folder, and no file"
    assert reason(tmp_path / "c.png") == "there is no such file"
    assert reason(tmp_path / "b.png" / "c.png") == "there is no such file"
    assert reason("nul\0in it") == "there is no such file"
    assert reason(tmp_path / ("x" * 400)) == "its name is too long" or os.name == "nt"
    assert reason(png((3, 1, 7, 9), [b"abc"])) == "its header is damaged or cut off"


@pytest.mark.skipif(os.name == "nt", reason="pipes and links of POSIX")
def test_pipes_devices_and_links_are_named_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(tmp_path / "pipe.png") == "it is a pipe, and no file"
    assert reason("/dev/zero") == "it is a device, and no file"
    (tmp_path / "a").symlink_to(tmp_path / "b")
    assert reason(tmp_path / "a") == "it is a link that leads nowhere"
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert reason(tmp_path / "a") == "it is a link that leads in a circle"
    Image.fromarray(RGB).save(tmp_path / "real.png")
    (tmp_path / "link.gif").symlink_to("real.png")
    np.testing.assert_array_equal(pixels(tmp_path / "link.gif"), RGB)


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    assert reason(path) == "permission is denied"


@pytest.mark.parametrize("size", [(30_000, 30_000), (10_000, 9_000)])
def test_a_decompression_bomb_is_refused_by_its_header(size):
    count = f"{size[0] * size[1] // 10**6:,} million pixels"
    bomb = f"it would unpack to {count}"
    rows = [bytes(3)]  # there is no need for more: nothing is decoded
    assert reason(png((*size, 8, 2), rows)) == bomb
    assert reason(f"P5 {size[0]} {size[1]} 255\n".encode()) == bomb
    tags = {258: (3, 8), 262: (3, 1)}
    assert reason(tiff(*size, tags, b"abc")) == bomb
    gif = bytearray(encoded(Image.fromarray(GREY), "GIF"))
    gif[6:10] = struct.pack("<HH", *size)
    assert reason(bytes(gif)) == bomb
    bmp = bytearray(encoded(Image.fromarray(RGB), "BMP"))
    bmp[18:26] = struct.pack("<ii", *size)
    assert reason(bytes(bmp)) == bomb
    jpeg = bytearray(encoded(Image.fromarray(RGB), "JPEG"))
    frame = jpeg.index(b"\xff\xc0") + 5
    jpeg[frame : frame + 4] = struct.pack(">HH", *size)
    assert reason(bytes(jpeg)) == bomb


def test_pillow_is_left_as_it_was():
    before = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    reason(png((30_000, 30_000, 8, 2), [b"abc"]))
    pixels(encoded(Image.fromarray(RGB), "PNG"))
    assert (Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
    assert not sys.modules["PIL.ImageFile"].LOAD_TRUNCATED_IMAGES


def photo(size=(90, 60)):
    """Noise that compresses badly, so that a cut loses pixels in any format."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(noise)


SEEDS = {
    "png": encoded(photo(), "PNG"),
    "jpeg": encoded(photo(), "JPEG"),
    "progressive": encoded(photo(), "JPEG", progressive=True, quality=60),
    "bmp": encoded(photo(), "BMP"),
    "gif": encoded(photo().quantize(64), "GIF"),
    "webp": encoded(photo(), "WEBP", quality=80),
    "tiff": encoded(photo(), "TIFF"),
    "lzw": encoded(photo(), "TIFF", compression="tiff_lzw"),
    "ppm": encoded(photo(), "PPM"),
}


def run_length_bmp():
    """A BMP of 8 x 4 in Windows's run-length encoding, which Pillow does not write."""
    colours = np.arange(1024).astype(np.uint8).tobytes()
    runs = bytes(
        [5, 1, 3, 2, 0, 0, 0, 4, 9, 8, 7, 6, 4, 3, 0, 0, 0, 2, 3, 1, 5, 5, 0, 1]
    )
    info = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(info) + len(colours)
    head = struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start)
    return head + info + colours + runs


def frames(name, **options):
    images = [photo((30, 20)), Image.new("RGB", (30, 20), "red"), photo((30, 20))]
    return encoded(images[0], name, save_all=True, append_images=images[1:], **options)


def of_mode(mode, name, **options):
    return encoded(photo((40, 25)).convert(mode), name, **options)


# Beside the usual files: rarer ways through Pillow's readers.
RARE = [
    run_length_bmp(),
    frames("GIF"),
    frames("WEBP"),
    frames("PNG"),
    frames("MPO"),
    frames("TIFF"),
    of_mode("CMYK", "JPEG"),
    of_mode("L", "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    of_mode("RGBA", "PNG"),
    of_mode("P", "PNG", transparency=b"\0\x80\xff"),
    of_mode("P", "BMP"),
    of_mode("1", "PPM"),
    of_mode("1", "TIFF", compression="group4"),
    of_mode("L", "TIFF", compression="tiff_adobe_deflate"),
    of_mode("RGB", "TIFF", compression="jpeg"),
    of_mode("CMYK", "TIFF", compression="packbits"),
    of_mode("LAB", "TIFF"),
    of_mode("YCbCr", "TIFF"),
    of_mode("F", "TIFF"),
    of_mode("I", "TIFF", compression="tiff_lzw"),
    of_mode("RGBA", "WEBP", lossless=True),
    encoded(Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)), "PNG"),
    b"P3 3 2 255 " + b"12 250 3 " * 6,
    b"Pf 3 2 -1.0 " + np.arange(6, dtype="<f4").tobytes(),
]


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_half_a_picture_is_an_error(name, share):
    data = SEEDS[name]
    assert pixels(data).shape == (60, 90, 3)
    text = reason(data[: int(share * len(data))])
    assert text.startswith(("it is cut off", "it is damaged", "its header is"))


@pytest.mark.parametrize("name", SEEDS)
def test_wherever_a_file_is_cut_it_is_whole_or_an_error(name):
    data = SEEDS[name]
    whole = pixels(data)
    ends = np.linspace(1, len(data) - 1, 25).astype(int).tolist()
    failed = 0
    for end in [*ends, *range(len(data) - 12, len(data))]:
        try:
            found = pixels(data[:end])
        except PictureError:
            failed += 1
        else:
            np.testing.assert_array_equal(found, whole)
    assert failed >= 24


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_large_files_are_read_piece_by_piece(name, tmp_path, monkeypatch):
    path = tmp_path / "picture"
    path.write_bytes(SEEDS[name])
    assert stat.S_ISREG(path.stat().st_mode)
    at_once = pixels(path)
    monkeypatch.setattr(decode, "_SMALL_FILE", 1)
    np.testing.assert_array_equal(pixels(path), at_once)
    monkeypatch.setattr(decode, "MOST_BYTES", 100)
    assert reason(path).startswith("it is too large")


# ---------------------------------------------------------------- mutations


def mutate(data, dice):
    """One to three injuries: flipped bits, a cut, a splice, or a header of lies."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        if not data:
            break
        size = len(data)
        kind = dice.randrange(6)
        if kind == 0:
            for _ in range(dice.choice([1, 1, 2, 8, 40])):
                place = dice.randrange(size)
                data[place : place + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            del data[dice.randrange(size) :]
        elif kind == 2:
            start = dice.randrange(size)
            del data[start : start + dice.randrange(200)]
        elif kind == 3:
            other = dice.choice(list(SEEDS.values()))
            start, place = dice.randrange(len(other)), dice.randrange(size)
            data[place:place] = other[start : start + dice.randrange(300)]
        elif kind == 4:
            place = dice.randrange(min(size, 64))
            length = dice.choice([1, 2, 4])
            value = dice.choice([0, 1, 255, 2**31 - 1, 2**32 - 1, dice.getrandbits(32)])
            data[place : place + length] = value.to_bytes(4, "big")[-length:]
        else:
            place = dice.randrange(min(size, 400))
            data[place : place + 1] = bytes([data[place] ^ 1 << dice.randrange(8)])
    return bytes(data)


def fuzz(count):
    """Of `count` mutated files: how many gave a picture, how many a PictureError."""
    dice = random.Random(20)  # noqa: S311 - dice, no secrets
    pictures = errors = 0
    reasons = set()
    seeds = [*SEEDS.values(), *RARE]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        for number in range(count):
            data = mutate(seeds[number % len(seeds)], dice)
            shape = dice.choice([(16, 16, 3), (8, 24, 1)])
            try:
                with decode.open_picture(data) as file:
                    x = fit(decode.upright(file, shape), shape)
            except PictureError as error:
                errors += 1
                reasons.add(str(error).partition(" (")[0])
            else:
                pictures += 1
                assert x.dtype == np.uint8
                assert x.shape == shape
    assert pictures + errors == count
    return pictures, errors, reasons


def test_mutated_files_give_a_picture_or_a_reason():
    pictures, errors, reasons = fuzz(300)
    assert pictures > 30
    assert errors > 100
    assert {"it is cut off", "it is no picture that Pillow can read"} <= reasons


@pytest.mark.slow
def test_ten_thousand_mutated_files_give_a_picture_or_a_reason():
    pictures, errors, reasons = fuzz(10_000)
    print(pictures, "pictures", errors, "errors", sorted(reasons))
    assert pictures > 1_000
    assert errors > 3_000


def test_the_rare_files_are_pictures_before_they_are_mutated():
    for data in RARE:
        assert fit(data, (8, 8, 3)).shape == (8, 8, 3)
    colours = np.arange(1024).astype(np.uint8).reshape(256, 4)[:, 2::-1]
    index = [[1] * 5 + [2] * 3, [9, 8, 7, 6, 3, 3, 3, 3]]  # from the lowest row upwards
    found = pixels(RARE[0])
    np.testing.assert_array_equal(found[3], colours[index[0]])
    np.testing.assert_array_equal(found[2], colours[index[1]])


def test_threads_decode_the_same_as_one():
    expected = {name: fit(data, (20, 30, 3)) for name, data in SEEDS.items()}
    wrong = []

    def work():
        for name, data in SEEDS.items():
            if (fit(data, (20, 30, 3)) != expected[name]).any():
                wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
