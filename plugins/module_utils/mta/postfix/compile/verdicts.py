# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What Postfix answers by verdicts on other sites, and how a verdict is kept: as a class in the table of domains. Pure.

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import (
    ACCEPTS_EVERYTHING,
    PEER_NOT_ASKED,
    REFUSES,
    VERIFIED,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    CALL_AHEAD_CLASS,
    NEUTRAL,
    question_key,
    questions_in,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of

# Final for the server's own users, as call-ahead is: their mail is taken.
_OWN_USERS = "permit_mynetworks, permit_sasl_authenticated"
_ASK = "reject_unverified_recipient"
_LATER = f"check_recipient_access static:{{450 4.1.1 {NEUTRAL}}}"
# For the log alone (access(5), INFO).
_REASONS = {
    ACCEPTS_EVERYTHING: "the next site does not tell its users from others",
    REFUSES: "the next site refuses to be asked",
    PEER_NOT_ASKED: "the next site was not verified yet",
}
CLASS_OF_VERDICT = {
    VERIFIED: "split_domain_verified",
    **{verdict: f"split_domain_unverified_{verdict}" for verdict in _REASONS},
}
_VERDICT_OF_CLASS = {name: verdict for verdict, name in CLASS_OF_VERDICT.items()}
# Classes that believe the next site.
_ASKING = (CALL_AHEAD_CLASS, CLASS_OF_VERDICT[VERIFIED])
STRICT_CLASSES = {name: f"{name}_to_peers" for name in CLASS_OF_VERDICT.values()}
"""By class the one for peers, who get the same answer although they may be in mynetworks."""


def verdict_classes() -> dict[str, str]:
    """Give the definitions of the classes of all verdicts, so that a verdict can turn without a change of main.cf."""
    answers = {
        verdict: f"check_recipient_access static:{{INFO unknown here, and {reason}}}, {_LATER}"
        for verdict, reason in _REASONS.items()
    }
    answers[VERIFIED] = _ASK
    classes = {}
    for verdict, name in CLASS_OF_VERDICT.items():
        classes[name] = f"{_OWN_USERS}, {answers[verdict]}"
        classes[STRICT_CLASSES[name]] = answers[verdict]
    return classes


def standing_verdicts(domains_table: str, settings: Iterable[DomainSettings]) -> dict[str, str]:
    """Give the verdicts by domain that stand in a text of ``mail_domains`` and are of the settings' relays."""
    rows = _rows(domains_table)
    found: dict[str, str] = {}
    for entry in settings:
        peer = entry.verified_peer
        verdict = _VERDICT_OF_CLASS.get(rows.get(question_key(entry.domain), ""))
        if peer is not None and verdict and rows.get(entry.domain) == transport_of(peer.relay):
            found[entry.domain] = verdict
    return found


def domains_asked_anew(before: str, after: str) -> list[str]:
    """Give the domains whose unknown recipients are asked for at another site, or were not asked for."""
    old, new = _rows(before), _rows(after)
    return sorted(
        domain
        for domain, question in questions_in(new).items()
        if question in _ASKING and (old.get(question_key(domain)), old.get(domain)) != (question, new.get(domain))
    )


def question_of(entry: DomainSettings) -> str | None:
    """Give the class for unknown recipients of a domain whose next site has to be verified; None for others."""
    if entry.verified_peer is None:
        return None
    return CLASS_OF_VERDICT[entry.verdict or PEER_NOT_ASKED]


def _rows(table: str) -> dict[str, str]:
    rows = (line.split(None, 1) for line in table.splitlines() if not line.startswith("#"))
    return {words[0]: words[1].strip() for words in rows if len(words) > 1}
