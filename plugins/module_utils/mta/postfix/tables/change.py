# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Lookup tables on a server: what is due to make one say a given text, and doing it. Private to this collection.

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    open_folder,
    open_place,
    replace_file,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileAttributes, FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import Folder, temporary_prefix
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import scratch_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    complains,
    distinct_lines,
    failure,
    read_text_file,
    run,
    run_or_fail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_files import own_rights
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import Due, note_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.difference import changed_entries
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import (
    FOREIGN_INDEX,
    OLDER_INDEX,
    OTHER_ANSWERS,
    TableType,
    index_faults,
    index_path,
    is_ours,
    sign,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import (
    Entry,
    check_text,
    folded_text,
)

# none: the index is right. update: single entries. rebuild: all entries in one transaction, under the readers.
# replace: a new file in place of the old one.
IndexWork = Literal["none", "update", "rebuild", "replace"]
_INTERRUPTED = "an earlier run was interrupted"
# An entry that is written by itself costs a transaction: about as much as 500 entries of a rebuild.
_ENTRIES_A_REBUILD_IS_WORTH = 200
# When an lmdb index outgrows lmdb_map_size (16 MiB) while it is built, postmap begins again, and with
# smtputf8_enable = yes it forgets to fold keys (seen with Postfix 3.7): upper case keys are never found then. So large
# tables are built from a text whose keys are folded already.
_FOLDING_IS_SAFE_UP_TO = 1_000_000
# What an index can have of the mode of its text.
_MODE_OF_INDEX = 0o666


@dataclass(frozen=True)
class TableChange:
    """What is due to make the table at ``path`` say ``after``, and why."""

    config_directory: str
    path: Path
    type: TableType
    before: str | None
    """The text that is there now; None when there is none."""
    after: str
    reasons: tuple[str, ...]
    index_work: IndexWork
    rights: FileRights
    entries: Mapping[str, Entry | None] = field(default_factory=dict)
    """With ``update``: what to write by folded key, None where the key goes."""

    @property
    def reload_due(self) -> bool:
        """Tell whether running Postfix processes would go on with the old entries for a while without a reload."""
        if self.type.suffix is None:
            return self.before != self.after
        return self.index_work == "replace"


def marker_path(path: Path) -> Path:
    """Return the file that stands beside a table while it is changed, and after a run that was killed meanwhile."""
    return path.with_name(path.name + ".updating")


def plan_table(
    server: PostfixServer, path: Path, kind: TableType, wanted_text: str, rights: FileRights | None = None
) -> TableChange | None:
    """Return what is due to make the table at ``path`` say ``wanted_text``; None when it does, and its index too.

    Writes nothing. Raises InvalidInput for a text that Postfix would not take whole, and ServerStateError for a place
    where somebody else can write.
    """
    refuse_strangers(path)
    if read_text_file(path) != wanted_text:
        _check_before_writing(server, path, kind, wanted_text)
    return _plan(server, _Place(path, kind), wanted_text, rights or FileRights())


def plan_own_table(
    server: PostfixServer, path: Path, kind: TableType, wanted_text: str, rights: FileRights | None = None
) -> TableChange | None:
    """Return what ``plan_table`` does, for a table that nobody but this collection has a reason to write.

    An index that somebody else wrote is a fault there, whatever it says. And the text is not checked, for it comes from
    code that cannot write what Postfix would not take: worth half a second where it has 100,000 lines. Without
    ``rights``, only root and Postfix's daemons can read it.
    """
    refuse_strangers(path)
    return _plan(server, _Place(path, kind, is_own=True), wanted_text, rights or own_rights(server))


@dataclass(frozen=True)
class _Place:
    """Where a table is, of which type, and whether it belongs to this collection alone."""

    path: Path
    type: TableType
    is_own: bool = False


def _plan(server: PostfixServer, place: _Place, wanted_text: str, rights: FileRights) -> TableChange | None:
    path, kind = place.path, place.type
    before = read_text_file(path)
    reasons: list[str] = []
    if before is None:
        reasons.append("the table is new")
    elif before != wanted_text:
        reasons.append("the text differs")
    if marker_path(path).exists():
        reasons.append(_INTERRUPTED)
    index_reasons = index_faults(server, path, kind, before) if before is not None else ()
    foreign = before is not None and not index_reasons and not is_ours(path, kind)
    if foreign and place.is_own:
        index_reasons = (FOREIGN_INDEX,)
    reasons += index_reasons
    index = index_path(path, kind)
    if before is not None and rights.differ(path.stat()):
        reasons.append("owner, group or mode of the text differ")
    if index is not None and index.exists() and rights.differ(index.stat(), 0o666):
        reasons.append("owner, group or mode of the index differ")
    if not reasons:
        return None
    # What else a foreign index says is not known: single entries would leave it there for ever.
    distrusted = (FOREIGN_INDEX,) if foreign else index_reasons
    work, entries = _index_work(kind, before, wanted_text, tuple(reasons), distrusted)
    return TableChange(
        config_directory=server.config_directory,
        path=path,
        type=kind,
        before=before,
        after=wanted_text,
        reasons=tuple(reasons),
        index_work=work,
        rights=rights,
        entries=entries,
    )


def apply_table(change: TableChange) -> bool:
    """Do what ``plan_table`` found due, and return whether Postfix has to be reloaded for it.

    At every moment, and after a kill at any, a lookup gives the old or the new answer and the next plan finds what is
    left to do. A due reload is noted before the last trace of this change is gone.
    """
    with writing(change.path):
        _apply(change)
    return change.reload_due


def _apply(change: TableChange) -> None:
    refuse_strangers(change.path)
    # A symbolic link stays a link: the text behind it is replaced.
    with open_folder(change.path.parent) as folder, open_place(change.path) as text:
        found = text.folder.attributes(text.name)
        attributes = (found or FileAttributes(FileRights(mode=0o644))).with_rights(change.rights)
        marker = marker_path(change.path).name
        folder.mark(marker)
        if change.before != change.after:
            text.folder.replace(text.name, change.after, attributes)
        else:
            text.folder.give(text.name, attributes.rights)
        index = index_path(change.path, change.type)
        if index is not None:
            _write_index(change, folder, index, attributes)
            sign(folder, index, text)
        if change.reload_due:
            note_due(change.config_directory, Due.RELOAD)
        folder.remove_leftovers(change.path.name)
        text.folder.remove_leftovers(text.name)
        folder.remove(marker)


def _index_work(
    kind: TableType, before: str | None, after: str, reasons: tuple[str, ...], index_reasons: tuple[str, ...]
) -> tuple[IndexWork, Mapping[str, Entry | None]]:
    """Return the cheapest way to an index that says ``after``, and the single entries where that way is ``update``."""
    trusted = before is not None and not index_reasons and _INTERRUPTED not in reasons
    if kind.suffix is None or (trusted and before == after):
        return "none", {}
    entries = changed_entries(before, after) if trusted and before is not None and kind.updates_in_place else None
    if entries is not None and len(entries) * _ENTRIES_A_REBUILD_IS_WORTH <= after.count("\n"):
        return "update", entries
    usable = before is not None and set(index_reasons) <= {OLDER_INDEX, OTHER_ANSWERS, FOREIGN_INDEX}
    too_large = len(after) > _FOLDING_IS_SAFE_UP_TO and folded_text(after) is not after
    return ("rebuild" if kind.updates_in_place and usable and not too_large else "replace"), {}


def _write_index(change: TableChange, folder: Folder, index: Path, attributes: FileAttributes) -> None:
    # Before anything secret is in it, and also where nothing else is due.
    folder.give(index.name, attributes.rights, _MODE_OF_INDEX)
    if change.index_work == "update":
        _update_index(change)
    elif change.index_work == "rebuild":
        run_or_fail(["postmap", "-o", f"{change.type.name}:{change.path}"], change.config_directory)
    elif change.index_work == "replace":
        _replace_index(change, index, attributes)


def _update_index(change: TableChange) -> None:
    """Write single entries, the added and changed ones before any goes (postmap(1), -i, -r and -d)."""
    target = f"{change.type.name}:{change.path}"
    written = "".join([f"{key} {entry.value}\n" for key, entry in change.entries.items() if entry is not None])
    removed = "".join([f"{key}\n" for key, entry in change.entries.items() if entry is None])
    if written:
        run_or_fail(["postmap", "-o", "-i", "-r", target], change.config_directory, written)
    if removed:
        arguments = ["postmap", "-d", "-", target]
        result = run(arguments, change.config_directory, removed)
        # Status 1 without a word says that no such key was there: just what is wanted.
        if complains(result):
            raise failure(arguments, change.config_directory, result)


def _replace_index(change: TableChange, index: Path, attributes: FileAttributes) -> None:
    """Build the index under another name and rename it, so that no reader meets an unfinished or broken one."""
    directory = tempfile.mkdtemp(prefix=temporary_prefix(change.path.name), dir=change.path.parent)
    try:
        source = Path(directory) / change.path.name
        replace_file(source, _index_source(change), FileRights(mode=0o600))
        run_or_fail(["postmap", f"{change.type.name}:{source}"], change.config_directory)
        built = source.with_name(index.name)
        with built.open("rb") as file:
            attributes.give(file.fileno(), _MODE_OF_INDEX)
            os.fsync(file.fileno())
        built.replace(index)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _index_source(change: TableChange) -> str:
    return folded_text(change.after) if change.type.folds_keys else change.after


def _check_before_writing(server: PostfixServer, path: Path, kind: TableType, text: str) -> None:
    """Raise InvalidInput for a text that Postfix would not take whole."""
    if kind.suffix is not None or kind.name == "texthash":
        check_text(text, str(path))
        return
    # Pattern and network tables have a syntax of their own, and only Postfix knows it.
    with open_folder(Path(server.config_directory)) as folder, scratch_folder(folder, "table") as directory:
        staged = directory / path.name
        replace_file(staged, text, FileRights(mode=0o600))
        result = run(["postmap", "-q", "::1", f"{kind.name}:{staged}"], server.config_directory)
    said = tuple(line for line in distinct_lines(result.stderr) if str(staged) in line)
    if said or complains(result):
        raise InvalidInput(
            f"Postfix does not take the text of the lookup table {kind.name}:{path}: "
            f"{'; '.join((said or distinct_lines(result.stderr))[:5]).replace(str(staged), str(path))}; correct it."
        )


# Where a lookup table may stand: nobody else may write beside it, since Postfix's commands take paths.


def refuse_strangers(path: Path) -> None:
    """Raise ServerStateError where others could swap a table or its index while it is written, or plant one.

    postmap(1) writes the index by its name, with the rights of this process: a link there would lead it elsewhere.
    """
    try:
        with open_folder(path.parent) as folder, open_place(path) as place:
            for one in (folder, place.folder):
                _refuse(path, one)
    except FileNotFoundError:
        if path.parent != path:
            # The folder comes with the table.
            refuse_strangers(path.parent)


def _refuse(path: Path, folder: Folder) -> None:
    if folder.writers is not None:
        raise ServerStateError(
            f"{path} is not written, because {folder.writers} and so could put other files in the place of a lookup "
            "table or its index: take that right away, or keep the table in a folder that only root, or the user of "
            "the task, can write in."
        )
