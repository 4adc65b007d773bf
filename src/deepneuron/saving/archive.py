"""The outer shell of a `.keras` file: a zip with three members.

metadata.json       which version wrote it, and when
config.json         the architecture, and how the model was compiled
model.weights.h5    the numbers
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

from deepneuron.errors import SavingError

METADATA = "metadata.json"
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"

_LARGEST_TEXT = 1 << 26  # bytes: no description of a network comes near it
_LARGEST_EXPANSION = 100  # a member that grows more than this was made to do harm
_SMALL = 1 << 20  # bytes: never worth refusing
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def write_archive(file: IO[bytes], members: dict[str, bytes | memoryview]) -> None:
    """Write the members, uncompressed as Keras does, and all with the same date."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(info, "w", force_zip64=len(content) >= 1 << 31) as member:
                member.write(content)


def read_archive(path: Path, *names: str) -> list[bytes]:
    """The contents of members of a `.keras` file, or of the folder it was unzipped to.

    Raises:
        SavingError: the file is missing, is no such zip, is damaged, lacks a member, or
            declares a size that no honest file has.
    """
    if path.is_dir():
        return [_read_from_folder(path, name) for name in names]
    if not path.exists():
        raise SavingError(
            f"There is no file {str(path)!r}. Check the path; the working folder is "
            f"{str(Path.cwd())!r}."
        )
    try:
        with path.open("rb") as file:
            _check_magic(file.read(8), path)
            with zipfile.ZipFile(file) as archive:
                return [_read_member(archive, name, path) for name in names]
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        struct.error,
    ) as error:
        if isinstance(error, SavingError):
            raise
        raise SavingError(
            f"{str(path)!r} is damaged or incomplete ({error}). Copy or download it "
            "again, or save the model again."
        ) from error
    except OSError as error:
        raise SavingError(f"{str(path)!r} cannot be read: {error}.") from error


def _check_magic(start: bytes, path: Path) -> None:
    if start.startswith(b"PK"):
        return
    if start == _HDF5_MAGIC:
        raise SavingError(
            f"{str(path)!r} is an HDF5 file, not a zip in Keras's v3 format. If it "
            "holds weights only, name it '*.weights.h5' and use model.load_weights; if "
            "it is a whole model in the legacy format, load it with Keras and save it "
            'again with model.save("model.keras").'
        )
    what = "is empty" if not start else f"begins with {start!r}"
    raise SavingError(
        f"{str(path)!r} is not a zip file in Keras's v3 format: it {what}."
    )


def _read_member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError:
        held = ", ".join(archive.namelist()[:8]) or "nothing"
        raise SavingError(
            f"{str(path)!r} is a zip file, but without the member {name!r} of Keras's "
            f"v3 format. It holds: {held}."
        ) from None
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SavingError(
            f"{str(path)!r}: member {name!r} is compressed by method "
            f"{info.compress_type}; only stored and deflated members are read."
        )
    if info.flag_bits & 0x1:
        raise SavingError(f"{str(path)!r}: member {name!r} is encrypted.")
    largest = max(_SMALL, _LARGEST_EXPANSION * min(info.compress_size, _size(path)))
    if name != WEIGHTS:
        largest = min(largest, _LARGEST_TEXT)
    _check_size(info.file_size, largest, name, path)
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise SavingError(
            f"{str(path)!r}: member {name!r} holds {len(content)} bytes; it declares "
            f"{info.file_size}."
        )
    return content


def _read_from_folder(folder: Path, name: str) -> bytes:
    member = folder / name
    if not member.is_file():
        advice = "It is no model in Keras's v3 format."
        if (folder / "saved_model.pb").exists():
            advice = (
                "It is a TensorFlow SavedModel, which holds no layers to load. Save "
                'the original model with model.save("model.keras").'
            )
        raise SavingError(f"The folder {str(folder)!r} has no {name!r}. {advice}")
    if name != WEIGHTS:
        _check_size(_size(member), _LARGEST_TEXT, name, folder)
    return member.read_bytes()


def _size(path: Path) -> int:
    return path.stat().st_size


def _check_size(size: int, largest: int, name: str, path: Path) -> None:
    if size > largest:
        raise SavingError(
            f"{str(path)!r}: member {name!r} declares {size:,} bytes, which is more "
            f"than such a file can honestly hold (at most {largest:,}). It was not "
            "read."
        )
