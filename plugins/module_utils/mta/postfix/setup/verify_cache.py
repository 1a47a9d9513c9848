# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The verdicts that verify(8) keeps of addresses: whether it has any of those that a change makes void, and forgetting.
#
# postmap(1) cannot change the cache while verify(8) has it open, and an update of verify(8) never takes a yes back. So
# it is forgotten as a whole, but only where it has something to forget, which is seen in the bytes of its file: the
# databases hold keys as they are, and each is written at once.

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    open_folder,
    read_file,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    expanded,
    is_running,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import (
    Due,
    note_due,
    reload_if_due,
)

# What dict_open(3) puts behind the path. Others, such as memcache, are not on this machine.
_SUFFIXES = {"btree": ".db", "hash": ".db", "lmdb": ".lmdb"}
_PROXY = "proxy:"
_PROCESSES = Path("/proc")
_LONGEST_END = 10.0
# Whole words only, so that a long one is looked at once.
_LOCAL_PART = rb"(?<![a-z0-9.&'*+/=?^_~-])([a-z0-9.&'*+/=?^_~-]+)"


@dataclass(frozen=True)
class VerifyCache:
    """The cache of one instance: ``type:path`` of postconf(5), address_verify_map; "" where it is in memory only."""

    table: str

    @property
    def index(self) -> Optional[Path]:
        """The file that holds it; None where there is none, or none that can be looked into."""
        kind, _colon, path = self.table.removeprefix(_PROXY).partition(":")
        return Path(path + _SUFFIXES[kind]) if kind in _SUFFIXES and path.startswith("/") else None

    @property
    def can_be_forgotten(self) -> bool:
        """Whether it is within reach: in a file, or in the memory of verify(8)."""
        return not self.table or self.index is not None

    def may_tell_of(self, domain: str, users: Optional[Collection[str]] = None, delimiters: str = "") -> bool:
        """Tell whether it has a verdict on the domain, of these local parts or their extensions; on any for None."""
        if self.index is None:
            return True
        try:
            file = read_file(self.index)
        except OSError:
            return False
        except ServerStateError:
            # No file that verify(8) made, or larger than can be searched: forgetting takes away what stands there.
            return True
        if file is None:
            return False
        content = file.content.lower()
        place = re.escape(f"@{domain}".encode())
        if users is None:
            return re.search(place, content) is not None
        plain = re.compile(f"[{re.escape(delimiters)}]") if delimiters else None
        found = {match.group(1).decode() for match in re.finditer(_LOCAL_PART + place, content)}
        return any(
            name in users or (plain is not None and any(name[: at.start()] in users for at in plain.finditer(name)))
            for name in found
        )


def read_verify_cache(config_directory: str) -> VerifyCache:
    """Read where an instance keeps the verdicts of address verification."""
    return VerifyCache(expanded(config_directory, ["address_verify_map"])["address_verify_map"].strip())


def void_path(directory: Path) -> Path:
    """Give the file below our directory that says that verdicts have to be forgotten, also after a kill."""
    return directory / "verdicts.void"


@dataclass(frozen=True)
class NoteVoidVerdicts:
    """Note that verdicts will be void, before the change that makes them so."""

    directory: Path

    def apply(self) -> None:
        """Leave the note, also for the next run when this one is killed."""
        note = void_path(self.directory)
        with writing(note), open_folder(note.parent) as folder:
            folder.mark(note.name)


@dataclass(frozen=True)
class ForgetVerdicts:
    """Forget all verdicts, so that whoever is unknown is asked for again."""

    config_directory: str
    directory: Path
    cache: VerifyCache

    def apply(self) -> None:
        """Take the file away and end the process that has it open; its clients ask the next one by themselves."""
        index = self.cache.index
        if index is not None:
            with writing(index), suppress(FileNotFoundError), open_folder(index.parent) as folder:
                folder.remove(index.name)
        if is_running(self.config_directory):
            if self.cache.table.startswith(_PROXY) or not _PROCESSES.joinpath("self").exists():
                # Somebody else has it open, or it cannot be told who.
                note_due(self.config_directory, Due.RELOAD)
                reload_if_due(self.config_directory)
            else:
                _end_verify(self.config_directory)
        note = void_path(self.directory)
        with writing(note), open_folder(note.parent) as folder:
            folder.remove(note.name)


def _end_verify(config_directory: str) -> None:
    """End verify(8) of the instance and wait for it: master(8) starts another one for the next question."""
    queue = expanded(config_directory, ["queue_directory"])["queue_directory"]
    master = (Path(queue) / "pid" / "master.pid").read_text(encoding="ascii").strip()
    deadline = time.monotonic() + _LONGEST_END
    for process in _children(master, "verify"):
        with suppress(ProcessLookupError):
            os.kill(int(process.name), signal.SIGTERM)
        while process.exists() and time.monotonic() < deadline:
            time.sleep(0.01)


def _children(parent: str, name: str) -> list[Path]:
    found = []
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            command, _parenthesis, rest = (process / "stat").read_text(encoding="utf-8").rpartition(")")
            if command.partition("(")[2] == name and rest.split()[1] == parent:
                found.append(process)
    return found


# Which changes make cached verdicts of call-ahead void, and the steps that a change gets for it.
#
# Only recipients without a route are asked ahead. So a verdict can mislead when an address loses its route, having been
# asked for before it got one, and when a domain is asked for elsewhere, or again. Nothing else matters.


@dataclass(frozen=True)
class Forgetting:
    """What a change gets before and after it so that no void verdict outlives it."""

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_for_routes(server: PostfixServer, directory: Path, domain: str, without_route: Collection[str]) -> Forgetting:
    """Plan what is due when addresses of a domain that is asked ahead lose their routes."""
    users = {address.rpartition("@")[0] for address in without_route}
    delimiters = server.parameters.get("recipient_delimiter", "")
    return _plan(server, directory, bool(users), lambda cache: cache.may_tell_of(domain, users, delimiters))


def plan_for_domains(server: PostfixServer, directory: Path, asked_anew: Sequence[str]) -> Forgetting:
    """Plan what is due when unknown recipients of domains are asked for at another site, or were not asked for."""
    return _plan(server, directory, bool(asked_anew), lambda cache: any(map(cache.may_tell_of, asked_anew)))


def _plan(
    server: PostfixServer, directory: Path, may_matter: bool, matters: Callable[[VerifyCache], bool]
) -> Forgetting:
    is_noted = void_path(directory).exists()
    if not (may_matter or is_noted):
        return Forgetting()
    cache = read_verify_cache(server.config_directory)
    if not cache.can_be_forgotten:
        said = (
            f"the verdicts of call-ahead are kept in {cache.table} (address_verify_map), which cannot be emptied from "
            "here: some may be void after this change, remove them there"
        )
        return Forgetting(warnings=(said,))
    if not cache.table and not is_running(server.config_directory):
        matters = _never
    if not (is_noted or matters(cache)):
        return Forgetting()
    return Forgetting((NoteVoidVerdicts(directory),), (ForgetVerdicts(server.config_directory, directory, cache),))


def _never(_cache: VerifyCache) -> bool:
    return False
