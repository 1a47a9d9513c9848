# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The types of lookup tables that a server has, the index beside a table's text, and the faults it can have. Private.

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import FilePlace
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import Folder
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    complains,
    run,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import parse

OLDER_INDEX = "the index is older than the text"
FOREIGN_INDEX = "somebody else wrote the index"
OTHER_ANSWERS = "the index does not say what the text says"
# So much of a text is parsed for the keys that the index is asked for: enough for some entries, and no more work.
_PROBED_CHARACTERS = 4096
# DATABASE_README: the types that postmap(1) builds from a text, with the suffix of the file it builds.
INDEX_SUFFIXES = {"lmdb": ".lmdb", "hash": ".db", "btree": ".db", "cdb": ".cdb"}
# The types that Postfix reads from their text when a process starts.
_TEXT_TYPES = ("texthash", "cidr", "regexp", "pcre")
_PATTERN_TYPES = ("regexp", "pcre")


def index_path(path: Path, kind: TableType) -> Path | None:
    """Return where the index of the table at ``path`` stands; None for a type without one."""
    return None if kind.suffix is None else path.with_name(path.name + kind.suffix)


def index_faults(server: PostfixServer, path: Path, kind: TableType, text: str) -> tuple[str, ...]:
    """Return what is wrong with the index of the table at ``path``, whose text is ``text``; empty when nothing is."""
    index = index_path(path, kind)
    if index is None:
        return ()
    try:
        found = index.stat()
    except FileNotFoundError:
        return ("the index is missing",)
    if found.st_size == 0:
        return ("the index is empty",)
    faults = _wrong_answers(server, path, kind, text)
    if found.st_mtime_ns < path.stat().st_mtime_ns:
        faults += (OLDER_INDEX,)
    return faults


def is_ours(path: Path, kind: TableType) -> bool:
    """Tell whether nobody wrote the index since this collection did, or since it wrote the text: the times are one."""
    index = index_path(path, kind)
    return index is None or index.stat().st_mtime_ns == path.stat().st_mtime_ns


def sign(folder: Folder, index: Path, text: FilePlace) -> None:
    """Give an index the time of its text: ``is_ours`` holds until somebody else writes one of them.

    Nor is the index older than the text then, of which Postfix would warn.
    """
    found = text.folder.status(text.name)
    if found is not None:
        folder.set_time(index.name, found.st_mtime_ns)


def _wrong_answers(server: PostfixServer, path: Path, kind: TableType, text: str) -> tuple[str, ...]:
    """Ask the index for some entries that stand first in the text, in one process."""
    expected: dict[str, str] = {}
    whole = len(text) <= _PROBED_CHARACTERS
    for line in parse(text if whole else text[: text.rfind("\n", 0, _PROBED_CHARACTERS) + 1]):
        if line.entry is not None and line.entry.key.isascii():
            # The first entry of a key is the one that counts.
            expected.setdefault(line.entry.key.lower(), line.entry.value)
    keys = list(expected)
    # The last logical line may go on behind the part that was read.
    keys = keys if whole else keys[:-1]
    probes = "".join([f"{key}\n" for key in keys]) or "probe\n"
    result = run(["postmap", "-q", "-", f"{kind.name}:{path}"], server.config_directory, probes)
    if complains(result):
        # A broken index ends postmap with a message, or with a bus error.
        return ("the index cannot be read",)
    answers = dict(line.split("\t", 1) for line in result.stdout.split("\n") if "\t" in line)
    if any(answers.get(key) != expected[key] for key in keys):
        return (OTHER_ANSWERS,)
    return ()


# The types of lookup tables: which this server has, and what index file each keeps.


@dataclass(frozen=True)
class TableType:
    """A type of lookup table that is a text file, with or without an index built from it."""

    name: str
    suffix: str | None
    """What is put behind the table's path to name its index; None for a type that is read from its text."""

    @property
    def updates_in_place(self) -> bool:
        """Tell whether an index can be changed under its readers: each sees a whole transaction (lmdb_table(5))."""
        return self.name == "lmdb"

    @property
    def has_keys(self) -> bool:
        """Tell whether an entry is a key and a value, as opposed to a pattern with its own syntax."""
        return self.name not in _PATTERN_TYPES

    @property
    def folds_keys(self) -> bool:
        """Tell whether lookups ignore the case of keys, as those of all fixed-string tables do (postmap(1))."""
        return self.suffix is not None or self.name == "texthash"


def table_type(server: PostfixServer, wanted: str | None = None) -> TableType:
    """Return the type ``wanted``, or else the best that this Postfix has: lmdb, or its ``default_database_type``.

    Raises InvalidInput for a type that is no text file, ServerStateError for one that this Postfix does not have.
    """
    name = wanted
    if name is None:
        name = "lmdb" if "lmdb" in server.map_types else server.parameters.get("default_database_type", "hash")
    if name not in INDEX_SUFFIXES and name not in _TEXT_TYPES:
        raise InvalidInput(
            f"The lookup table type {name!r} is not one that is kept in a text file: "
            f"use one of {', '.join((*INDEX_SUFFIXES, *_TEXT_TYPES))}."
        )
    if name not in server.map_types:
        raise ServerStateError(
            f"This Postfix has no lookup tables of type {name} ('postconf -m' does not list it): "
            f"install the package that brings it, such as postfix-{name}, or choose another type."
        )
    return TableType(name, INDEX_SUFFIXES.get(name))
