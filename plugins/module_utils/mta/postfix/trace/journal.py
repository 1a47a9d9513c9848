# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a trace has seen on the way of an address, and where the way ends. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import Hit

_ACCOUNTS = "unix:passwd.byname"


@dataclass(frozen=True)
class TraceStep:
    """One decision on the way of an address."""

    stage: str
    recipient: str
    """The address as it was then."""
    by: Hit
    result: str
    """What came of it: an address, a class, a transport, an answer."""

    def shown(self) -> dict[str, Any]:
        """Give the step as the module returns it."""
        return {"stage": self.stage, "address": self.recipient, **shown_hit(self.by), "result": self.result}


class Journal:
    """The steps of one address, in the order in which they were made."""

    def __init__(self) -> None:
        self.steps: list[TraceStep] = []

    def note(self, stage: str, recipient: str, by: Hit, result: str) -> None:
        """Add a step."""
        self.steps.append(TraceStep(stage, recipient, by, result))


@dataclass(frozen=True)
class TraceDestination:
    """Where mail for one address is handed to."""

    recipient: str
    address_class: str
    class_by: Hit
    transport: str
    nexthop: str
    decided_by: Hit

    def shown(self) -> dict[str, Any]:
        """Give the destination as the module returns it."""
        return {
            "address": self.recipient,
            "class": self.address_class,
            "transport": self.transport,
            "nexthop": self.nexthop,
            "decided_by": shown_hit(self.decided_by),
        }


def shown_hit(hit: Hit) -> dict[str, str | None]:
    """Give a deciding parameter or table entry as the module returns it; of accounts no more than their names."""
    value = None if hit.table and hit.table.endswith(_ACCOUNTS) else hit.value
    return {"parameter": hit.parameter, "table": hit.table, "key": hit.key, "value": value}
