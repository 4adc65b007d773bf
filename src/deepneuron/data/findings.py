"""Findings: what is passed over in a data set, gathered while it is read."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet
from pathlib import Path

from deepneuron.data.collection import Skipped
from deepneuron.data.names import natural_key, printable, shown
from deepneuron.errors import DataError


class Findings:
    """Collects what is passed over and why; with strict, what is broken is an error.

    Hidden files and files of other kinds lie in every folder by the hundred: they are
    told as groups, everything else by its own name.

    Args:
        source: what is being read, for the error.
        strict: whether something broken is an error.

    >>> findings = Findings("pictures", strict=False)
    >>> findings.other("a.txt")
    >>> findings.other("b.txt")
    >>> findings.skipped()[0].name
    '2 files *.txt'
    """

    def __init__(self, source: str | os.PathLike[str], *, strict: bool) -> None:
        self.source = shown(source)
        self.strict = strict
        self._single: list[Skipped] = []
        # kind: [how many, the first one's name]
        self._groups: dict[str, tuple[int, str]] = {}

    def note(self, name: str, reason: str, *, harmless: bool = False) -> None:
        """Something that is passed over, or worth knowing, and not broken."""
        self._single.append(Skipped(printable(name), reason, harmless))

    def broken(self, name: str, reason: str) -> None:
        """Something that should be usable, and is not.

        Raises:
            DataError: if strict.
        """
        if self.strict:
            raise DataError(
                f"{shown(name)} in {self.source} cannot be used: {reason}. Mend or "
                "remove it, or leave out strict to go on without it."
            )
        self.note(name, reason)

    def other(self, name: str) -> None:
        """A file that is no picture by its extension."""
        self._count(f"*{Path(name).suffix.lower()}", name)

    def hidden(self, name: str) -> None:
        """A file or folder that is hidden, or of the operating system."""
        self._count("", name)

    def beside(self, folder: Path, used: AbstractSet[str], reason: str) -> None:
        """What lies in the folder and is not used, so that nobody waits for it."""
        try:
            with os.scandir(folder) as entries:
                names = {entry.name: _is_folder(entry) for entry in entries}
        except OSError as error:
            self.note(
                "./", f"what else it holds is unknown ({error.strerror or error})"
            )
            return
        for name in sorted(names.keys() - used, key=natural_key):
            if name.startswith("."):
                self.hidden(name)
            else:
                self.note(f"{name}/" if names[name] else name, reason)

    def skipped(self) -> tuple[Skipped, ...]:
        """All of it: the single ones in the order of finding, then the groups."""
        groups = []
        for kind, (count, first) in self._groups.items():
            what = "no picture by its extension" if kind else "hidden, or the system's"
            if count == 1:
                groups.append(Skipped(printable(first), f"it is {what}", harmless=True))
                continue
            title = f"files {kind}" if kind else "hidden files and folders"
            what = what.replace("its extension", "their extension")
            what = what.replace("no picture", "no pictures")
            reason = f"they are {what}; the first is {shown(first)}"
            groups.append(Skipped(printable(f"{count:,} {title}"), reason, True))
        return (*self._single, *groups)

    def _count(self, kind: str, name: str) -> None:
        count, first = self._groups.get(kind, (0, name))
        self._groups[kind] = (count + 1, first)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or to a forbidden place
        return False
