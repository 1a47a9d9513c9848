# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module postfix_map: one lookup table from the text it has to the text it shall have. Private.

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.atomic_files import read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import (
    Plan,
    Step,
    carry_out,
    shown_lines,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    read_server,
    read_text,
    server_lock,
    unreadable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.secret_tables import OTHERS
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import Settle, WriteTable
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_index import index_path
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_removal import plan_removal
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_request import (
    TableRequest,
    parse_request,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_text import (
    count_entries,
    entries,
    render,
    says,
    with_entries,
    without_entries,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_types import TableType, table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import plan_table
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Diff, Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.secrecy import HIDDEN

_LISTED_CHANGES = 100
_LINES_SHOWN_WHOLE = 500


# The number above stands for "no change" in chown(2).
_HIGHEST_IDENTIFIER = 2**32 - 2


def keep_table(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring one lookup table to what the module's arguments say."""
    request = parse_request(arguments)
    directory = request.config_directory
    lock = server_lock(directory, arguments["lock_timeout"])
    return carry_out(lock, lambda: plan_map(read_server(directory), request), check_mode, {})


def plan_map(server: PostfixServer, request: TableRequest) -> Plan:
    """Plan the table, its index and the reload; writes nothing."""
    kind = table_type(server, request.type)
    try:
        found = read_file(request.path)
    except OSError as error:
        raise unreadable(request.path, error) from error
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
        steps.append(Settle(request.config_directory))
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
            text = read_text(request.src)
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
