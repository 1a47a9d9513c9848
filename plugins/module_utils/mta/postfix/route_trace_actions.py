# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the values of access(5) tables and the restrictions without argument of smtpd(8) mean. Pure. Private.

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

# RFC 5321 section 4.2.1.
LOWEST_DEFERRAL = 400
LOWEST_REFUSAL = 500


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

REPLY_CODE = re.compile(r"[2-5][0-9]{2}")
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
