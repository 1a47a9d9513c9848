# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module postfix_map: one lookup table from the text it has to the text it shall have. Private.

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff, Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import HIDDEN
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, Step, carry_out, shown_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    file_unreadable,
    read_server,
    read_text_file,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import plan_table
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import (
    TableType,
    index_path,
    table_type,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.removal import plan_removal
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.secret_tables import (
    OTHERS,
    octal_mode,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import (
    ReloadIfDue,
    WriteTable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import (
    Entry,
    count_entries,
    entries,
    render,
    says,
    with_entries,
    without_entries,
)

_LISTED_CHANGES = 100
_LINES_SHOWN_WHOLE = 500
# The number above stands for "no change" in chown(2).
_HIGHEST_IDENTIFIER = 2**32 - 2
State = Literal["exact", "present", "absent", "removed"]
# main.cf splits lists at white space and commas, and gives braces and $ a meaning.
_UNUSABLE_IN_MAIN_CF = re.compile(r"[\s,{}$\0]")
_HOW_TO_WRITE_TEXT = (
    "give one that is not empty, and put quotes around what YAML takes for something else (yes, no, on, off, null)."
)


def keep_table(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring one lookup table to what the module's arguments say."""
    request = parse_table_request(arguments)
    directory = request.config_directory
    lock = server_lock(directory, arguments["lock_timeout"])
    return carry_out(lock, lambda: plan_map(read_server(directory), request), check_mode, {})


def plan_map(server: PostfixServer, request: TableRequest) -> Plan:
    """Plan the table, its index and the reload; writes nothing."""
    kind = table_type(server, request.type)
    try:
        found = read_file(request.path)
    except OSError as error:
        raise file_unreadable(request.path, error) from error
    before = None if found is None else found.text
    if found is not None and not found.status.st_mode & OTHERS:
        # What only its owner may read is not shown either, by whatever task it is changed.
        request = replace(request, secret=True)
    reload_due = False
    steps: list[Step] = []
    reasons: tuple[str, ...] = ()
    if request.state == "removed":
        after = None
        removal = plan_removal(server, request.path)
        if removal is not None:
            steps.append(removal)
            reasons = ("the table is there",)
    else:
        if not request.path.parent.is_dir():
            raise InvalidInput(f"The directory {request.path.parent} is not there: create it before the lookup table.")
        after = _wanted_text(request, kind, before)
        change = plan_table(server, request.path, kind, after, _rights(request))
        if change is not None:
            steps.append(WriteTable(change))
            reasons, reload_due = change.reasons, change.reload_due
    if request.reload and (reload_due or noted_due(request.config_directory) is not Due.NONE):
        steps.append(ReloadIfDue(request.config_directory))
    index = index_path(request.path, kind)
    values: dict[str, Any] = {
        # Not "path": for a result of that name, Ansible adds what it finds there now, in check mode the old file.
        "file": str(request.path),
        "type": kind.name,
        "table": f"{kind.name}:{request.path}",
        "index": str(index) if index else None,
        "reasons": list(reasons),
        "due": str(max(Due.RELOAD if reload_due else Due.NONE, noted_due(request.config_directory))),
    }
    if kind.has_keys:
        values.update(_told_changes(before or "", after or "", request.secret))
    return Plan(tuple(steps), values, _diffs(request, kind, before, after, reasons))


def _wanted_text(request: TableRequest, kind: TableType, before: str | None) -> str:
    if request.entries is None:
        text = request.content
        if request.src is not None:
            text = read_text_file(request.src)
            if text is None:
                raise ServerStateError(
                    f"The file {request.src} is not there: src names a file on the managed server; put it there first."
                )
        text = text or ""
        return text if text.endswith("\n") or not text else text + "\n"
    if not kind.has_keys:
        raise InvalidInput(
            f"A lookup table of type {kind.name} has patterns with their own syntax, and no keys: give content or src."
        )
    if request.state == "absent":
        return without_entries(before or "", [entry.key for entry in request.entries])
    if request.state == "present":
        return with_entries(before or "", request.entries)
    text = render(request.entries)
    # Another order, comments and white space of the same entries are no reason to write.
    return before if before is not None and says(before, request.entries, not kind.folds_keys) else text


def _rights(request: TableRequest) -> FileRights:
    try:
        owner = None if request.owner is None else _identifier(request.owner, lambda name: pwd.getpwnam(name).pw_uid)
        group = None if request.group is None else _identifier(request.group, lambda name: grp.getgrnam(name).gr_gid)
    except KeyError as error:
        raise InvalidInput(
            f"The owner or group of the lookup table {request.path} is not known on this server: {error.args[0]}; "
            "create it, or correct its name."
        ) from error
    return FileRights(request.mode, owner, group)


def _identifier(name: str, find: Callable[[str], int]) -> int:
    if name.isascii() and name.isdigit():
        if int(name) > _HIGHEST_IDENTIFIER:
            raise KeyError(f"{name} is beyond the highest number of an owner or group")
        return int(name)
    return find(name)


def _told_changes(before: str, after: str, secret: bool) -> dict[str, Any]:
    """Return how many entries there are and which are others, values hidden where they are secrets."""
    counts = {"before": count_entries(before), "after": count_entries(after), "added": 0, "changed": 0, "removed": 0}
    changes: list[dict[str, str | None]] = []
    if before != after:
        found, left = _values(before), _values(after)
        for key in sorted(found.keys() | left.keys()):
            if found.get(key) == left.get(key):
                continue
            kind = "added" if key not in found else "changed" if key in left else "removed"
            counts[kind] += 1
            if len(changes) < _LISTED_CHANGES:
                changes.append({"key": key, "before": _shown(found, key, secret), "after": _shown(left, key, secret)})
    return {"counts": counts, "changes": changes}


def _values(text: str) -> dict[str, str]:
    return {key: entry.value for key, entry in entries(text).items()}


def _shown(values: Mapping[str, str], key: str, secret: bool) -> str | None:
    return HIDDEN if secret and key in values else values.get(key)


def _diffs(
    request: TableRequest, kind: TableType, before: str | None, after: str | None, reasons: tuple[str, ...]
) -> tuple[Diff, ...]:
    if not reasons:
        return ()
    header = str(request.path)
    if before == after:
        return (Diff(header, "".join(f"({reason})\n" for reason in reasons), ""),)
    if request.secret:
        return (_secret_diff(header, before or "", after or "", kind),)
    before_lines, after_lines = (before or "").splitlines(True), (after or "").splitlines(True)
    if max(len(before_lines), len(after_lines)) > _LINES_SHOWN_WHOLE:
        gone, come = set(before_lines), set(after_lines)
        before_lines = [line for line in before_lines if line not in come]
        after_lines = [line for line in after_lines if line not in gone]
    return (shown_lines(header, before_lines, after_lines, _LINES_SHOWN_WHOLE),)


def _secret_diff(header: str, before: str, after: str, kind: TableType) -> Diff:
    """Show which keys get, lose or change a value, and no value."""
    if not kind.has_keys:
        return Diff(header, "(hidden)\n", "(hidden, and another)\n")
    found, left = _values(before), _values(after)
    keys = sorted(key for key in found.keys() | left.keys() if found.get(key) != left.get(key))
    return shown_lines(
        header,
        [f"{key} {HIDDEN}\n" for key in keys if key in found],
        [f"{key} {HIDDEN}{' (another value)' if key in found else ''}\n" for key in keys if key in left],
    )


# What the module postfix_map is asked for: its arguments checked and turned into values.


@dataclass(frozen=True)
class TableRequest:
    """One lookup table as it shall be. One of ``entries``, ``content`` and ``src`` says what it holds."""

    path: Path
    type: str | None
    state: State
    entries: tuple[Entry, ...] | None
    content: str | None
    src: Path | None
    secret: bool
    mode: int | None
    owner: str | None
    group: str | None
    config_directory: str
    reload: bool


def parse_table_request(arguments: Mapping[str, Any]) -> TableRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    state: State = arguments["state"]
    listed = arguments["entries"] if arguments["secret_entries"] is None else arguments["secret_entries"]
    secret = arguments["secret"] or arguments["secret_entries"] is not None
    mode = _mode(arguments["mode"], secret)
    path = _path(arguments["path"], "path")
    content, src = arguments["content"], arguments["src"]
    given = [value for value in (listed, content, src) if value is not None]
    if state == "removed":
        if given:
            raise InvalidInput(f"The lookup table {path} is to be removed: give no entries, content or src with it.")
    elif not given:
        raise InvalidInput(f"Nothing says what the lookup table {path} shall hold: give entries, content or src.")
    elif state == "absent" and listed is None:
        raise InvalidInput(
            f"The state 'absent' takes entries out of the lookup table {path}: give entries, or the state 'removed'."
        )
    return TableRequest(
        path=path,
        type=arguments["type"],
        state=state,
        entries=None if listed is None else _entries(listed, state),
        content=content,
        src=None if src is None else _path(src, "src"),
        # What only its owner may read is not shown either.
        secret=secret or (mode is not None and not mode & OTHERS),
        mode=mode,
        owner=arguments["owner"],
        group=arguments["group"],
        config_directory=arguments["config_directory"],
        reload=arguments["reload"] == "auto",
    )


def _path(value: str, option: str) -> Path:
    path = Path(value)
    if option == "path" and path.name in ("main.cf", "master.cf"):
        raise InvalidInput(f"The path {value!r} is Postfix's own configuration, and no lookup table: name a table.")
    if not path.is_absolute() or (option == "path" and _UNUSABLE_IN_MAIN_CF.search(value)):
        raise InvalidInput(
            f"The {option} {value!r} is not usable for a lookup table: "
            "give an absolute path without white space, commas, braces and dollar signs."
        )
    return path


def _entries(listed: Any, state: State) -> tuple[Entry, ...]:
    if isinstance(listed, Mapping):
        return tuple(_entry(key, value, state) for key, value in listed.items())
    if not isinstance(listed, list):
        raise InvalidInput("The entries of a lookup table are given as a mapping, or as a list of key and value.")
    return tuple(_listed_entry(item, state) for item in listed)


def _listed_entry(item: Any, state: State) -> Entry:
    if isinstance(item, Mapping):
        unknown = sorted(str(name) for name in set(item) - {"key", "value"})
        if unknown:
            raise InvalidInput(f"An entry of a lookup table has key and value; {', '.join(unknown)} is neither.")
        return _entry(item.get("key"), item.get("value"), state)
    if state != "absent":
        raise InvalidInput(
            "An entry of a lookup table has no value: give a mapping of keys to values, or key and value."
        )
    return _entry(item, "", state)


def _entry(key: Any, value: Any, state: State) -> Entry:
    if not _is_text(key):
        raise InvalidInput(f"The key {key!r} of a lookup table entry is no text: {_HOW_TO_WRITE_TEXT}")
    if state == "absent":
        return Entry(str(key), "")
    if not _is_text(value):
        # The value is not shown: it may be a password.
        raise InvalidInput(f"The value of the lookup table entry {key!r} is no text: {_HOW_TO_WRITE_TEXT}")
    return Entry(str(key), str(value))


def _is_text(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (str, int)) and value != ""


def _mode(value: Any, secret: bool) -> int | None:
    if value is None:
        return 0o600 if secret else None
    mode = octal_mode(value)
    if mode is None:
        raise InvalidInput(
            f"The mode {shown(value)} is none for a lookup table: give an octal number in quotes, as '0640'."
        )
    return mode
