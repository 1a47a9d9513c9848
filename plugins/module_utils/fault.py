# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A fault that was found in the DNS: its code, how grave it is, and one sentence on it. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass

# Mail is lost or refused, or an RFC that senders keep says so.
ERROR = "error"
# Mail flows today, but a part of the DNS is broken or contradicts another.
WARNING = "warning"
# Nothing is broken, but it may surprise.
NOTICE = "notice"
SEVERITIES = (ERROR, WARNING, NOTICE)


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
