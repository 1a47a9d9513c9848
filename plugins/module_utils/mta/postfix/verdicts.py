# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What Postfix answers by verdicts on other sites, and how a verdict is kept: as a class in the table of domains. Pure.

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.peer_verification import (
    ACCEPTS_EVERYTHING,
    NOT_ASKED,
    REFUSES,
    VERIFIED,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings

# Final for the server's own users, as call-ahead is: their mail is taken.
_OWN_USERS = "permit_mynetworks, permit_sasl_authenticated"
_ASK = "reject_unverified_recipient"
_TEXTS = {
    ACCEPTS_EVERYTHING: "450 4.1.1 User unknown here; the next site does not tell its users from others",
    REFUSES: "450 4.1.1 User unknown here; the next site refuses to be asked",
    NOT_ASKED: "450 4.1.1 User unknown here; the next site was not verified yet",
}
CLASS_OF_VERDICT = {verdict: f"split_domain_{verdict}" for verdict in (VERIFIED, *_TEXTS)}
_VERDICT_OF_CLASS = {name: verdict for verdict, name in CLASS_OF_VERDICT.items()}
STRICT_CLASSES = {name: f"{name}_to_peers" for name in CLASS_OF_VERDICT.values()}
"""By class the one for peers, who get the same answer although they may be in mynetworks."""


def verdict_classes() -> dict[str, str]:
    """Give the definitions of the classes of all verdicts, so that a verdict can turn without a change of main.cf."""
    answers = {verdict: f"check_recipient_access static:{{{text}}}" for verdict, text in _TEXTS.items()}
    answers[VERIFIED] = _ASK
    classes = {}
    for verdict, name in CLASS_OF_VERDICT.items():
        classes[name] = f"{_OWN_USERS}, {answers[verdict]}"
        classes[STRICT_CLASSES[name]] = answers[verdict]
    return classes


def standing_verdicts(domains_table: str, settings: Iterable[DomainSettings]) -> dict[str, str]:
    """Give the verdicts by domain that stand in the text of the table ``domains`` and are of the settings' relays."""
    rows = dict(words for words in (line.split(None, 1) for line in domains_table.splitlines()) if len(words) > 1)
    found: dict[str, str] = {}
    for entry in settings:
        peer = entry.verified_peer
        verdict = _VERDICT_OF_CLASS.get(rows.get(f"@{entry.domain}", "").strip())
        if peer is not None and verdict and rows.get(entry.domain, "").strip() == transport_of(peer.relay):
            found[entry.domain] = verdict
    return found


def question_of(entry: DomainSettings) -> str | None:
    """Give the class for unknown recipients of a domain whose next site has to be verified; None for others."""
    if entry.verified_peer is None:
        return None
    return CLASS_OF_VERDICT[entry.verdict or NOT_ASKED]
