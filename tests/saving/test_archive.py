"""The zip around a model: honest files are read, others refused with a reason."""

import io
import struct
import zipfile

import pytest

from deepneuron.errors import SavingError
from deepneuron.saving.archive import CONFIG, METADATA, read_archive, write_archive

MEMBERS = {METADATA: b"{}", CONFIG: b'{"a": 1}'}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.keras"
    with path.open("wb") as file:
        write_archive(file, MEMBERS)
    return path


def zipped(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_round_trip_and_same_bytes(path):
    assert read_archive(path, CONFIG, METADATA) == [MEMBERS[CONFIG], MEMBERS[METADATA]]
    again = io.BytesIO()
    write_archive(again, MEMBERS)
    assert again.getvalue() == path.read_bytes()


def test_compressed_archive_and_unzipped_folder(tmp_path):
    path = tmp_path / "m.keras"
    zipped(path, MEMBERS, zipfile.ZIP_DEFLATED)
    assert read_archive(path, CONFIG) == [MEMBERS[CONFIG]]
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "folder")
    assert read_archive(tmp_path / "folder", CONFIG) == [MEMBERS[CONFIG]]


def refused(path, match, *names):
    with pytest.raises(SavingError, match=match):
        read_archive(path, *(names or (CONFIG,)))


def test_missing_file(tmp_path):
    refused(tmp_path / "no.keras", "There is no file")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"hello", "not a zip file"),
        (b"\x89HDF\r\n\x1a\n rest", "HDF5 file"),
        (b"PK\x03\x04 and then nothing", "damaged or incomplete"),
    ],
)
def test_other_files(tmp_path, content, match):
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    refused(path, match)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_archive(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "damaged or incomplete")


def test_changed_member_fails_its_checksum(path):
    path.write_bytes(path.read_bytes().replace(b'{"a": 1}', b'{"a": 2}'))
    refused(path, "damaged or incomplete")


def test_missing_member_lists_what_is_there(path):
    refused(
        path, "without the member 'model.weights.h5'.*config.json", "model.weights.h5"
    )


def test_foreign_zip(tmp_path):
    path = tmp_path / "m.keras"
    zipped(path, {"word/document.xml": b"<a/>"})
    refused(path, "It holds: word/document.xml")


def test_saved_model_folder(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"")
    refused(tmp_path, "TensorFlow SavedModel")


def test_decompression_bomb(tmp_path):
    path = tmp_path / "m.keras"
    zipped(path, {CONFIG: bytes(4 << 20)}, zipfile.ZIP_DEFLATED)
    refused(path, "more than such a file can honestly hold")


def test_declared_size_is_not_believed(path):
    content = path.read_bytes()
    size = struct.pack("<I", len(MEMBERS[CONFIG]))
    at = content.rindex(size + size)  # both sizes, in the directory at the end
    absurd = struct.pack("<I", 0xF0000000) * 2
    path.write_bytes(content[:at] + absurd + content[at + 8 :])
    refused(path, "honestly hold|damaged")


def test_unusual_compression(tmp_path):
    path = tmp_path / "m.keras"
    zipped(path, MEMBERS, zipfile.ZIP_BZIP2)
    refused(path, "compressed by method")


def test_encrypted_member(path):
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = content.find(magic)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(magic, at + 1)
    path.write_bytes(bytes(content))
    refused(path, "encrypted")
