# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What smtpd(8) tells a stranger at RCPT, as far as its restrictions ask tables about the recipient. Pure. Private.
#
# A stranger is a client that no table knows, without authentication, and whose sender nobody objects to. What depends
# on more than the recipient (DNS lists, policy services, tables of clients) is passed over.

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import ACCEPTED, DEFERRED, REFUSED
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.journal import (
    Journal,
    TraceDestination,
    shown_hit,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    Hit,
    TableList,
    access_keys,
    parts_of,
    search,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.resolving import (
    BAD_SYNTAX,
    DEFAULT_CLASS,
    REPLY_CODE,
    RecipientListing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import TraceSettings

ASKED_AHEAD = "asked_ahead"
RELAY_DENIED = "relay_denied"
_MOST_NESTED_CLASSES = 100
# Restrictions with an argument that says nothing about the recipient.
_WITH_ARGUMENT = re.compile(r"check_\w+|(?:reject|permit)_(?:rbl|rhsbl|rhswl|dnswl)_?\w*|sleep")
# RFC 5321 section 4.2.1.
LOWEST_DEFERRAL = 400
LOWEST_REFUSAL = 500


@dataclass(frozen=True)
class Ruling:
    """An answer that ends the restrictions, or one list of them where ``code`` is None (the recipient is let pass)."""

    by: Hit
    code: int | None = None
    text: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class TraceAnswer:
    """What a stranger is told."""

    verdict: str
    code: int | None
    text: str | None
    by: Hit | None

    def shown(self) -> dict[str, Any]:
        """Give the answer as the module returns it."""
        return {
            "verdict": self.verdict,
            "code": self.code,
            "text": self.text,
            "decided_by": shown_hit(self.by) if self.by else None,
        }


class Reception:
    """The restrictions being gone through for one recipient."""

    def __init__(
        self, settings: TraceSettings, found: TraceDestination, listing: RecipientListing, journal: Journal
    ) -> None:
        self.settings = settings
        self.found = found
        self.listing = listing
        self.journal = journal
        self.asked_by: Hit | None = None
        self.put_off: Ruling | None = None

    def answer(self) -> Asking[TraceAnswer]:
        """Give what a stranger is told about the recipient."""
        if self.found.decided_by.parameter == BAD_SYNTAX:
            return TraceAnswer(REFUSED, 501, self.found.nexthop, self.found.decided_by)
        for parameter in self._lists():
            ruling = yield from self._go_through(parameter, self.settings.words(parameter), 0)
            if ruling is not None and ruling.code is not None:
                return TraceAnswer(ruling.verdict, ruling.code, ruling.text, ruling.by)
        if self.put_off is not None:
            return TraceAnswer(DEFERRED, self.put_off.code, self.put_off.text, self.put_off.by)
        if self.settings.value("smtpd_reject_unlisted_recipient").lower() != "no":
            ruling = self._unlisted()
            if ruling is not None:
                return TraceAnswer(ruling.verdict, ruling.code, ruling.text, ruling.by)
        if self.asked_by is not None:
            return TraceAnswer(ASKED_AHEAD, None, None, self.asked_by)
        return TraceAnswer(ACCEPTED, 250, None, self.listing.by)

    def _lists(self) -> tuple[str, ...]:
        early = ("smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions")
        late = ("smtpd_recipient_restrictions", "smtpd_relay_restrictions")
        # Postfix before 3.6 has no such parameter, and always asked the relay restrictions last.
        if self.settings.is_on("smtpd_relay_before_recipient_restrictions"):
            late = (late[1], late[0])
        return (*early, *late) if self.settings.value("smtpd_delay_reject").lower() != "no" else late

    def _go_through(self, name: str, restrictions: Sequence[str], depth: int) -> Asking[Ruling | None]:
        waiting = list(restrictions) if depth <= _MOST_NESTED_CLASSES else []
        only_warns = False
        while waiting:
            restriction = waiting.pop(0)
            folded = restriction.lower()
            if folded == "warn_if_reject":
                only_warns = True
                continue
            ruling: Ruling | None = None
            if folded == "check_recipient_access" and waiting:
                ruling = yield from self._ask_table(name, waiting.pop(0), depth)
            elif ":" in restriction:
                if name in ("smtpd_recipient_restrictions", "smtpd_relay_restrictions") or depth:
                    ruling = yield from self._ask_table(name, restriction, depth)
            elif restriction in self.settings.words("smtpd_restriction_classes"):
                ruling = yield from self._go_through(restriction, self.settings.words(restriction), depth + 1)
            elif _WITH_ARGUMENT.fullmatch(folded) and folded != "check_recipient_maps" and waiting:
                waiting.pop(0)
            else:
                ruling = self._plain(name, folded)
            if ruling is not None and not (only_warns and ruling.code is not None):
                return ruling
            only_warns = False
        return None

    def _plain(self, name: str, restriction: str) -> Ruling | None:
        """Judge by a restriction without argument."""
        by = Hit(name, value=restriction)
        if restriction == "reject_unverified_recipient":
            self.asked_by = self.asked_by or by
        if restriction in ("reject_unlisted_recipient", "check_recipient_maps"):
            return self._unlisted()
        actions = {
            **RESTRICTIONS,
            **(OF_OTHER_DOMAINS if self.found.address_class == DEFAULT_CLASS else OF_OWN_DOMAINS),
        }
        if "." not in parts_of(self.found.recipient)[1]:
            actions.update(OF_SINGLE_LABELS)
        action = actions.get(restriction)
        return None if action is None else self._ruling(action, by, is_relaying=restriction in OF_OTHER_DOMAINS)

    def _ask_table(self, name: str, table: str, depth: int) -> Asking[Ruling | None]:
        """Judge by an access(5) table of recipients."""
        parents_match = self.settings.parents_match("smtpd_access_maps")
        keys = access_keys(self.found.recipient, self.settings.extensions, parents_match)
        hit = yield from search(TableList(name, (self.settings.table_of(table),)), keys)
        if hit is None:
            return None
        value = (hit.value or "").strip()
        self.journal.note("reception", self.found.recipient, hit, value)
        action = parse_action(value)
        if action.kind is not Kind.RESTRICTIONS:
            return self._ruling(action, hit)
        return (yield from self._go_through(name, words(value), depth + 1))

    def _ruling(self, action: Action, by: Hit, is_relaying: bool = False) -> Ruling | None:
        code = self.settings.value(action.code_parameter)
        number = int(code) + action.code_offset if REPLY_CODE.fullmatch(code) else action.code
        ruling = Ruling(by, number, action.text, RELAY_DENIED if is_relaying else _verdict(number))
        if action.kind is Kind.PUT_OFF:
            self.put_off = self.put_off or ruling
        if action.kind is Kind.PERMIT:
            return Ruling(by)
        return ruling if action.kind is Kind.REPLY else None

    def _unlisted(self) -> Ruling | None:
        listing = self.listing
        if listing.is_known is not False or listing.code is None or listing.by is None:
            return None
        return Ruling(listing.by, listing.code, listing.text, _verdict(listing.code))


def _verdict(code: int) -> str:
    return REFUSED if code >= LOWEST_REFUSAL else DEFERRED if code >= LOWEST_DEFERRAL else ACCEPTED


# What the values of access(5) tables and the restrictions without argument of smtpd(8) mean.


class Kind(Enum):
    """What follows from an action."""

    REPLY = "this reply"
    PERMIT = "the rest of the list is skipped"
    PUT_OFF = "this reply, unless something else refuses"
    NOTHING = "the next restriction"
    RESTRICTIONS = "other restrictions"


@dataclass(frozen=True)
class Action:
    """One action, with the reply that goes with it."""

    kind: Kind
    code: int = 0
    text: str = ""
    code_parameter: str = ""
    """The parameter of main.cf that may give another code."""
    code_offset: int = 0
    """What is added to that parameter's code."""


_DENIED = "Access denied"
_ACTIONS = {
    "OK": Action(Kind.PERMIT),
    "RELAY": Action(Kind.PERMIT),
    "REJECT": Action(Kind.REPLY, 554, f"5.7.1 {_DENIED}", "access_map_reject_code"),
    "DEFER": Action(Kind.REPLY, 450, f"4.7.1 {_DENIED}", "access_map_defer_code"),
    "DEFER_IF_PERMIT": Action(Kind.PUT_OFF, 450, "4.7.1 Service unavailable", "access_map_defer_code"),
    "DISCARD": Action(Kind.REPLY, 250, "accepted, and thrown away"),
    # These do something to the message, or nothing, and go on.
    **dict.fromkeys(
        ("DUNNO", "DEFER_IF_REJECT", "FILTER", "HOLD", "REDIRECT", "BCC", "PREPEND", "INFO", "WARN"),
        Action(Kind.NOTHING),
    ),
}
_RELAYING = "Relay access denied"
RESTRICTIONS = {
    "permit": Action(Kind.PERMIT),
    "reject": Action(Kind.REPLY, 554, f"5.7.1 {_DENIED}", "reject_code"),
    "defer": Action(Kind.REPLY, 450, "4.3.2 Try again later", "defer_code"),
    "defer_if_permit": Action(Kind.PUT_OFF, 450, "4.7.0 defer_if_permit requested"),
}
"""Restrictions that say the same of every recipient."""
OF_OWN_DOMAINS = {"permit_auth_destination": Action(Kind.PERMIT)}
"""Restrictions that say something of recipients in the server's own domains."""
OF_OTHER_DOMAINS = {
    "reject_unauth_destination": Action(Kind.REPLY, 554, f"5.7.1 {_RELAYING}", "relay_domains_reject_code"),
    "defer_unauth_destination": Action(Kind.REPLY, 454, f"4.7.1 {_RELAYING}", "relay_domains_reject_code", -100),
}
"""Restrictions that say something of all other recipients."""
OF_SINGLE_LABELS = {
    "reject_non_fqdn_recipient": Action(Kind.REPLY, 504, "5.5.2 need fully-qualified address", "non_fqdn_reject_code")
}
"""Restrictions that say something of recipients whose domain has no dot."""
"""What Postfix takes for the code of a reply in its parameters."""
_REPLY = re.compile(r"([45][0-9]{2})\s+(\S.*)", re.DOTALL)


def parse_action(value: str) -> Action:
    """Read the value of an access(5) table."""
    reply = _REPLY.fullmatch(value)
    if reply:
        return Action(Kind.REPLY, int(reply.group(1)), reply.group(2))
    if value.isascii() and value.isdigit():
        return Action(Kind.PERMIT)
    word, _space, text = value.partition(" ")
    known = _ACTIONS.get(word.upper())
    if known is None:
        return Action(Kind.RESTRICTIONS)
    if known.code_parameter and text.strip():
        return Action(known.kind, known.code, text.strip(), known.code_parameter)
    return known
