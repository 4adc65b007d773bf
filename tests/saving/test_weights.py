"""The HDF5 layer: what is written comes back, and hostile files are refused."""

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepneuron.errors import SavingError
from deepneuron.saving.weights import read_weights, write_weights

KERNEL = np.arange(12, dtype=np.float32).reshape(4, 3)
PATH = "layers/dense"


def read(content, path=PATH):
    return read_weights(bytes(content), [path], "'m.weights.h5'")


def hostile(fill) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file.create_group(f"{PATH}/vars"))
    return buffer.getvalue()


def refused(fill, match):
    with pytest.raises(SavingError, match=match):
        read(hostile(fill))


def test_round_trip_keeps_values_types_and_names():
    entries = {"0": KERNEL, "1": np.int64(3), "2": np.array([True, False])}
    content = write_weights({"": ("m", {}), PATH: ("dense", entries)})
    found = read(content)[PATH]
    assert found.keys() == entries.keys()
    for key, value in entries.items():
        np.testing.assert_array_equal(found[key], value)
        assert found[key].dtype == np.asarray(value).dtype
    with h5py.File(io.BytesIO(bytes(content))) as file:
        assert file[f"{PATH}/vars"].attrs["name"] == "dense"


def test_same_states_give_same_bytes():
    states = {PATH: ("dense", {"0": KERNEL})}
    assert bytes(write_weights(states)) == bytes(write_weights(states))


def test_a_path_that_is_missing_is_left_out():
    assert read(write_weights({"": ("m", {})})) == {}


def test_compressed_weights_are_read():
    content = hostile(lambda g: g.create_dataset("0", data=KERNEL, compression="gzip"))
    np.testing.assert_array_equal(read(content)[PATH]["0"], KERNEL)


def test_external_link_is_refused_without_opening_the_other_file(tmp_path):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["0"] = KERNEL
    refused(lambda g: g.__setitem__("0", h5py.ExternalLink(str(other), "/0")), "link")


def test_links_instead_of_groups_are_refused(tmp_path):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers"] = h5py.ExternalLink(str(tmp_path / "no.h5"), "/layers")
    with pytest.raises(SavingError, match="link"):
        read(buffer.getvalue())


def test_soft_link_is_refused():
    refused(lambda g: g.__setitem__("0", h5py.SoftLink("/nowhere")), "link")


def test_external_storage_is_refused(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"\1" * 48)
    buffer = tmp_path / "hostile.h5"
    with h5py.File(buffer, "w") as file:
        group = file.create_group(f"{PATH}/vars")
        group.create_dataset(
            "0", (4, 3), "f4", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        )
    with pytest.raises(SavingError, match="another file"):
        read(buffer.read_bytes())


def test_virtual_dataset_is_refused(tmp_path):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[...] = h5py.VirtualSource(str(tmp_path / "x.h5"), "0", (4, 3))
    refused(lambda g: g.create_virtual_dataset("0", layout), "another file")


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (["a", "b"], h5py.string_dtype()),
        (np.array([b"abc"]), None),
        (np.zeros(2, [("a", "f4")]), None),
        (np.zeros(2, np.complex64), None),
        (np.zeros(2, "V4"), None),
    ],
)
def test_only_plain_numbers_are_read(data, dtype):
    refused(lambda g: g.create_dataset("0", data=data, dtype=dtype), "plain numbers")


def test_array_without_shape_is_refused():
    refused(lambda g: g.create_dataset("0", data=h5py.Empty("f4")), "without a shape")


def test_size_that_the_file_does_not_hold_is_refused():
    refused(
        lambda g: g.create_dataset("0", (1 << 20, 1 << 20), "f4", chunks=(64, 64)),
        "not read",
    )


def test_compression_bomb_is_refused():
    zeros = np.zeros((2048, 2048), np.float32)
    refused(lambda g: g.create_dataset("0", data=zeros, compression=9), "not read")


def test_compression_by_a_plugin_is_refused():
    def fill(group):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((4, 3))
        plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple((4, 3))
        h5py.h5d.create(group.id, b"0", h5py.h5t.NATIVE_FLOAT, space, plist)

    refused(fill, "plugin")


def test_group_instead_of_array_and_array_instead_of_group():
    refused(lambda g: g.create_group("0"), "is a group")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers"] = KERNEL
    with pytest.raises(SavingError, match="is an array"):
        read(buffer.getvalue())


@pytest.mark.parametrize("content", [b"", b"no file", b"\x89HDF\r\n\x1a\n" + bytes(99)])
def test_damaged_file(content):
    with pytest.raises(SavingError, match="damaged"):
        read(content)


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, a number made absurd, or the end cut off."""
    changed = bytearray(content)
    kind = rng.integers(3)
    if kind == 0:
        for i in rng.choice(np.flatnonzero(np.frombuffer(content, np.uint8)), 3):
            changed[i] = rng.integers(256)
    elif kind == 1:
        i = int(rng.integers(len(content) - 8))
        absurd = (0, 1, 255, 1 << 32, (1 << 63) - 1, (1 << 64) - 1)
        changed[i : i + 8] = absurd[rng.integers(6)].to_bytes(8, "little")
    else:
        changed = changed[: rng.integers(len(content))]
    return bytes(changed)


def check_mutations(seed: int, times: int) -> None:
    entries = {str(i): KERNEL for i in range(4)}
    content = bytes(write_weights({"": ("m", {}), PATH: ("dense", entries)}))
    rng = np.random.default_rng(seed)
    for _ in range(times):
        try:
            found = read(mutated(content, rng))
        except SavingError:
            continue
        assert sum(v.nbytes for e in found.values() for v in e.values()) < 1 << 24


def test_mutated_files_are_refused_or_read():
    check_mutations(0, 300)


@pytest.mark.slow
def test_many_mutated_files_are_refused_or_read():
    check_mutations(1, 20_000)


def test_nothing_is_written_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read(write_weights({PATH: ("dense", {"0": KERNEL})}))
    assert list(Path().iterdir()) == []
