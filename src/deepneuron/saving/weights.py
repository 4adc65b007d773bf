"""Numbers in an HDF5 file, under the path of the object that they belong to.

    layers/dense/vars/0     the kernel
    layers/dense/vars/1     the bias; the group `vars` carries the layer's name
    optimizer/vars/0 ...    the step, the learning rate, the slots

Reading follows no link out of the file, and believes no size that the file cannot hold.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from deepneuron.errors import SavingError

Entries = dict[str, np.ndarray]  # {"0": array, "1": array}

_LARGEST_EXPANSION = 100  # compressed data that grows more was made to do harm
_MOST_ENTRIES = 1 << 20
_PLAIN_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}  # built into HDF5


def write_weights(states: dict[str, tuple[str | None, Entries]]) -> memoryview:
    """An HDF5 file, in memory.

    Args:
        states: {path: (name, entries)}; the path of the model itself is "".
    """
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, (name, entries) in states.items():
            group = file.create_group(f"{path}/vars" if path else "vars")
            if name is not None:
                group.attrs["name"] = name
            for key, value in entries.items():
                group.create_dataset(str(key), data=np.asarray(value))
    return buffer.getbuffer()


def read_weights(content: bytes, paths: list[str], origin: str) -> dict[str, Entries]:
    """The entries of some paths; a path that the file lacks is not in the result.

    Args:
        content: an HDF5 file.
        paths: as they were given to `write_weights`.
        origin: the file, for error messages.

    Raises:
        SavingError: it is no HDF5 file, is damaged, or holds something else than plain
            arrays of numbers.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = {}
            for path in paths:
                group = _descend(file, [*path.split("/"), "vars"], origin)
                if group is not None:
                    found[path] = _entries(group, f"{path}/vars", len(content), origin)
            return found
    except SavingError:
        raise
    except Exception as error:  # h5py raises nearly every kind for a damaged file
        raise SavingError(
            f"The weights in {origin} are damaged or no HDF5 file ({error})."
        ) from error


def _descend(group: Any, names: list[str], origin: str) -> Any:
    import h5py

    for name in filter(None, names):
        if not isinstance(group, h5py.Group):
            raise SavingError(
                f"{origin}: {group.name!r} is an array; expected a group."
            )
        # Not `name in group`, which would follow a link to find out.
        if not group.id.links.exists(name.encode("utf-8")):
            return None
        group = _member(group, name, origin)
    return group


def _member(group: Any, name: str, origin: str) -> Any:
    """What a plain link leads to. The others lead elsewhere, even to other files."""
    import h5py

    kind = group.id.links.get_info(name.encode("utf-8")).type
    if kind != h5py.h5l.TYPE_HARD:
        raise SavingError(
            f"{origin}: {group.name}/{name} is a link to another place or file. "
            "Weights that come from elsewhere are not read."
        )
    return group[name]


def _entries(group: Any, path: str, file_size: int, origin: str) -> Entries:
    import h5py

    if not isinstance(group, h5py.Group):
        raise SavingError(f"{origin}: {path} is an array; expected a group.")
    if len(group) > _MOST_ENTRIES:
        raise SavingError(f"{origin}: {path} declares {len(group):,} arrays.")
    entries = {}
    for name in group:
        dataset = _member(group, name, origin)
        where = f"{origin}: {path}/{name}"
        if not isinstance(dataset, h5py.Dataset):
            raise SavingError(f"{where} is a group; expected an array.")
        entries[name] = _array(dataset, where, file_size)
    return entries


def _array(dataset: Any, where: str, file_size: int) -> np.ndarray:
    if dataset.is_virtual or dataset.external:
        raise SavingError(
            f"{where} keeps its numbers in another file. Weights that come from "
            "elsewhere are not read."
        )
    filters = dataset.id.get_create_plist()
    numbers = [filters.get_filter(i)[0] for i in range(filters.get_nfilters())]
    if not set(numbers) <= set(_PLAIN_FILTERS):
        raise SavingError(  # HDF5 would look for a plugin on the disk, and run it
            f"{where} is compressed by a plugin (HDF5 filter {numbers}). Only "
            f"{', '.join(_PLAIN_FILTERS.values())} are read."
        )
    kind = dataset.id.get_type().get_class()
    if kind not in _number_classes() or dataset.dtype.kind not in "biuf":
        raise SavingError(
            f"{where} holds values of type {dataset.dtype}; weights are plain numbers."
        )
    if dataset.shape is None:
        raise SavingError(f"{where} is an array without a shape.")
    stored = min(dataset.id.get_storage_size(), file_size)
    size = math.prod(dataset.shape) * dataset.dtype.itemsize
    if size > _LARGEST_EXPANSION * stored:
        raise SavingError(
            f"{where} declares the shape {dataset.shape}, {size:,} bytes, but the file "
            f"holds {stored:,} bytes of it. It was not read."
        )
    return np.asarray(dataset[()])


def _number_classes() -> tuple[int, ...]:
    from h5py import h5t

    return h5t.INTEGER, h5t.FLOAT, h5t.ENUM  # an ENUM is how booleans are stored
