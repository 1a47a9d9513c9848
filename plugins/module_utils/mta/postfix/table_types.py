# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The types of lookup tables: which this server has, and what index file each keeps. Private to this collection.

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer

# DATABASE_README: the types that postmap(1) builds from a text, with the suffix of the file it builds.
INDEX_SUFFIXES = {"lmdb": ".lmdb", "hash": ".db", "btree": ".db", "cdb": ".cdb"}
# The types that Postfix reads from their text when a process starts.
_TEXT_TYPES = ("texthash", "cidr", "regexp", "pcre")
_PATTERN_TYPES = ("regexp", "pcre")


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
