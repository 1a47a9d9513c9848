# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of mx_records where a zone is a file: options in, file written, server told. Private to this collection.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import FilePlace
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff, Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import locked
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change, plan_change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.removal import (
    refuse_removals,
    removal_limit,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import WantedSet, named_exchanges
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    SetKeepsChanging,
    ZoneFileNotEditable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.edit import (
    edit_zone,
    is_otherwise_equal,
    next_serial,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.file import (
    ChangedMeanwhile,
    ZoneFile,
    read_zone_file,
    zone_file_path,
    zone_place,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.reload import ServerOfFile

# So often is a file that somebody else changed in between read and planned again.
MAX_EDITS = 5


@dataclass(frozen=True)
class _Plan:
    """What is to become of a zone file: sets, text (None where it stays) and serial; and addresses of exchanges."""

    file: ZoneFile
    server: ServerOfFile
    changes: tuple[Change, ...]
    text: Optional[str]
    serial: int
    addresses: Mapping[str, Optional[tuple[str, ...]]]

    @property
    def is_due(self) -> bool:
        """Tell whether there is something to write or to tell the server."""
        return self.text is not None or self.server.is_due


def publish_in_file(wanted_sets: Sequence[WantedSet], params: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring the MX sets of one zone to their wanted state in its file, or in check mode tell what would be done.

    Raises InvalidInput and the failures of module_utils.dns.
    """
    if params["wait"]:
        raise InvalidInput("the option wait needs a DNS server to ask: name the option server, or do not wait")
    path = zone_file_path(params["zone_file"])
    zone = _zone_given(wanted_sets)
    limit = removal_limit(params["allow_removal"], params["removal_share"])

    def plan(place: FilePlace) -> _Plan:
        file = read_zone_file(place, zone)
        server = ServerOfFile(place, file.contents.zone, tuple(params["reload_command"]))
        server.check()
        changes = tuple(plan_change(wanted, file.contents.reading(wanted.name)) for wanted in wanted_sets)
        refuse_removals(changes, limit)
        return _planned(file, server, changes, named_exchanges(wanted_sets))

    with zone_place(path) as place, locked(place.folder, params["lock_timeout"]):
        return _outcome(plan(place)) if check_mode else _publish(place, plan)


def _publish(place: FilePlace, plan: Callable[[FilePlace], _Plan]) -> Outcome:
    for _attempt in range(MAX_EDITS):
        planned = plan(place)
        # What is due is asked for before it is done.
        outcome = _outcome(planned)
        try:
            _carry_out(planned)
        except ChangedMeanwhile:
            continue
        return outcome
    raise SetKeepsChanging(
        f"the zone file {place.path} was changed by somebody else {MAX_EDITS} times after it had been read, and is "
        "left as it is: find who else writes it, then run the task again"
    )


def _planned(file: ZoneFile, server: ServerOfFile, changes: tuple[Change, ...], exchanges: set[str]) -> _Plan:
    """Plan the new text and try it out, so that everything which can fail before a write does."""
    contents = file.contents
    addresses = contents.addresses_of_exchanges(exchanges)
    wanted = {change.name: change.after for change in changes if change.is_due}
    serial = contents.serial
    if not wanted:
        return _Plan(file, server, changes, None, serial, addresses)
    server.refuse_dynamic()
    serial = next_serial(serial, datetime.now().astimezone())
    text = edit_zone(contents, wanted, serial)
    after = file.checked(text)
    if after.serial != serial or not is_otherwise_equal(contents, after, wanted):
        raise ZoneFileNotEditable(
            f"the zone file {file.path} is not changed, because that would also change other records in it: write "
            "each record on lines of its own with its owner and TTL, or change the file by hand"
        )
    return _Plan(file, server, changes, text, serial, addresses)


def _carry_out(plan: _Plan) -> None:
    if plan.text is not None:
        was_due = plan.server.is_due
        plan.server.note_due()
        try:
            plan.file.replace(plan.text)
        except SplitDomainError:
            if not was_due:
                plan.server.forget_due()
            raise
    if plan.server.is_due:
        plan.server.tell(plan.serial)


def _outcome(plan: _Plan) -> Outcome:
    before = plan.file.contents
    diffs = () if plan.text is None else (Diff(str(plan.file.path), _shown(before.text.text), _shown(plan.text)),)
    return Outcome(
        changed=plan.is_due,
        values={
            "record_sets": [change.told() for change in plan.changes],
            "exchanges": [{"exchange": host, "addresses": list(held or ())} for host, held in plan.addresses.items()],
            "serial": {"before": before.serial, "after": plan.serial},
        },
        diffs=diffs,
        warnings=tuple(
            f"the exchange {host} has no A or AAAA record in the zone file {plan.file.path}, which holds its zone: no "
            "mail can reach it"
            for host, held in plan.addresses.items()
            if held == ()
        ),
    )


def _shown(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _zone_given(wanted_sets: Sequence[WantedSet]) -> Optional[str]:
    zones = list(dict.fromkeys(wanted.zone for wanted in wanted_sets if wanted.zone is not None))
    if len(zones) > 1:
        raise InvalidInput(
            f"the record_sets name several zones ({', '.join(zones)}), but a zone file holds one: write a task for each"
        )
    return zones[0] if zones else None
