# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a task may take away unasked: never the last MX record of a name, and not much at once. Pure. Private.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import RemovalNotAllowed

# Of fewer sets than this, a share says little.
FEWEST_FOR_A_SHARE = 10
DEFAULT_SHARE = 0.3
_NAMED = 5


@dataclass(frozen=True)
class RemovalLimit:
    """How much may go: anything when it is allowed, otherwise ``share`` of the sets at most, and no set wholly."""

    is_allowed: bool = False
    share: float = DEFAULT_SHARE


def removal_limit(allow_removal: bool, share: float) -> RemovalLimit:
    """Give the limit for the options; raises InvalidInput for a share outside 0..1."""
    if not 0 <= share <= 1:
        raise InvalidInput(f"the option removal_share is {share:g}: write a share from 0 to 1, as 0.3 for 30 percent")
    return RemovalLimit(allow_removal, share)


def refuse_removals(changes: Sequence[Change], limit: RemovalLimit) -> None:
    """Raise RemovalNotAllowed for changes that take away more than the limit allows.

    A name must not lose its last MX record: mail for it would go to its address record (RFC 5321 section 5.1), or
    bounce. A null MX is a record, and takes no mail on purpose. And of ten sets or more that there are, no larger share
    may lose records without getting others.
    """
    if limit.is_allowed:
        return
    emptied = [change.name for change in changes if change.before.records and not change.after.records]
    if emptied:
        raise RemovalNotAllowed(
            f"{_listed(emptied)} would be left without any MX record, so that mail for it goes to its address record "
            "or bounces: set allow_removal to true if that is meant, give the null MX if it is to take no mail, or "
            "name the records that are to stay"
        )
    there = [change for change in changes if change.before.records]
    lessened = [change.name for change in there if _only_loses(change)]
    if len(there) >= FEWEST_FOR_A_SHARE and len(lessened) > limit.share * len(there):
        raise RemovalNotAllowed(
            f"{len(lessened)} of the {len(there)} MX sets that there are would lose records and get none in their "
            f"place ({_listed(lessened)}), which is more than the removal_share of {limit.share:g}: set allow_removal "
            "to true or raise removal_share if that is meant"
        )


def _only_loses(change: Change) -> bool:
    """Tell whether a set loses records and gets none for them; another preference for one that stays is none."""
    before, after = set(change.before.records), set(change.after.records)
    return after < before or {record.exchange for record in after} < {record.exchange for record in before}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
