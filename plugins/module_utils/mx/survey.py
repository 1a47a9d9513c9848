# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What all authoritative servers of a name say of its MX set, which of it holds, and what a fault is. Pure.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet

_SERIALS = 2**32
# Mail is lost or refused, or an RFC that senders keep says so.
ERROR = "error"
# Mail flows today, but a part of the DNS is broken or contradicts another.
WARNING = "warning"
# Nothing is broken, but it may surprise.
NOTICE = "notice"
SEVERITIES = (ERROR, WARNING, NOTICE)


@dataclass(frozen=True)
class ServerAnswer:
    """What one authoritative server, at one of its addresses, says of one name.

    ``problem`` is one of the constants below, or None when the server gave an authoritative answer; ``detail`` says
    more of it as a clause. ``serial`` is that of the zone on this server, None when it did not tell.
    """

    server: str
    address: str | None
    mx: MxSet = MxSet()
    serial: int | None = None
    exists: bool = True
    alias_of: str | None = None
    problem: str | None = None
    detail: str = ""

    @property
    def place(self) -> str:
        """Give the server's name and address as messages show them."""
        return self.server if self.address in (None, self.server) else f"{self.server} ({self.address})"


WITHOUT_ADDRESS = "without_address"
# This host has no way to the address, as to an IPv6 address without IPv6.
SERVER_NOT_ASKED = "not_asked"
SILENT = "silent"
RCODE = "error"
NOT_AUTHORITATIVE = "not_authoritative"


@dataclass(frozen=True)
class MxSurvey:
    """What was found of one name.

    ``resolved`` is what the resolver says, which may be older than what the servers say. ``exchangers`` is what holds:
    the newest set of the authoritative servers, or that of the resolver where no server answers or the name is an
    alias. ``wildcard`` is the wildcard owner that has the same set, None when there is none.
    """

    name: str
    zone: str | None
    servers: tuple[ServerAnswer, ...]
    resolved: MailExchangers
    exchangers: MailExchangers
    wildcard: str | None = None

    @property
    def answers(self) -> tuple[ServerAnswer, ...]:
        """Give what the servers say that gave an authoritative answer."""
        return tuple(answer for answer in self.servers if answer.problem is None)


def newest(answers: Sequence[ServerAnswer]) -> ServerAnswer | None:
    """Give the answer that will be everybody's: of the highest serial (RFC 1982), then of most servers."""
    if not answers:
        return None
    serials = [answer.serial for answer in answers if answer.serial is not None]
    highest = serials[0] if serials else None
    for serial in serials:
        if highest is not None and is_newer(serial, highest):
            highest = serial
    current = [answer for answer in answers if answer.serial == highest]
    sets = [answer.mx for answer in current]
    return max(current, key=lambda answer: sets.count(answer.mx))


def is_newer(serial: int, other: int) -> bool:
    """Tell whether a zone's serial comes after another one, across the end of the numbers (RFC 1982 section 3.2)."""
    return 0 < (serial - other) % _SERIALS < _SERIALS // 2


# A fault that was found in the DNS: its code, how grave it is, and one sentence on it.


@dataclass(frozen=True)
class Fault:
    """One fault; the message names the thing, says what is wrong with it and what to do."""

    code: str
    severity: str
    message: str

    def as_returned(self) -> dict[str, str]:
        """Give the fault as modules return it."""
        return {"code": self.code, "severity": self.severity, "message": self.message}


def gravest_first(faults: list[Fault]) -> list[Fault]:
    """Give faults in order of their severity, otherwise as they came."""
    return sorted(faults, key=lambda fault: SEVERITIES.index(fault.severity))
