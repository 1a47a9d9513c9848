# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Verifies the sites that unknown recipients are forwarded to: each of their servers asked once, all at once. Private.

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import (
    AskPeer,
    Introduction,
    PeerAnswer,
    decisive,
    doubt,
    judge,
    warning,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

MOST_AT_ONCE = 16


@dataclass(frozen=True)
class Survey:
    """What came of asking: the verdict on the next site by domain, and what the user is told of it."""

    verdicts: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def survey_peers(
    settings: Sequence[DomainSettings], earlier: Mapping[str, str], ask: AskPeer, introduction: Introduction
) -> Survey:
    """Ask all servers of the sites that have to be verified for their verification address and one that nobody has.

    ``earlier`` are the verdicts that stand, by domain.
    """
    asked = [(entry.domain, entry.verified_peer) for entry in settings]
    questions = [_Question(domain, peer, _stranger(domain)) for domain, peer in asked if peer is not None]
    answers = _ask_all(questions, ask, introduction)
    verdicts: dict[str, str] = {}
    warnings: list[str] = []
    for question in questions:
        yes, no = question.addresses
        known, stranger = decisive((answers[one, yes], answers[one, no]) for one in question.peer.relay.servers)
        verdict = judge(known, stranger, earlier.get(question.domain))
        verdicts[question.domain] = verdict
        found = doubt(question.addresses[0], known, stranger, verdict)
        if found is not None:
            warnings.append(warning(found, question.domain, question.peer.site, question.peer.relay))
    return Survey(verdicts, tuple(warnings))


@dataclass(frozen=True)
class _Question:
    domain: str
    peer: Peer
    stranger: str

    @property
    def addresses(self) -> tuple[str, str]:
        return (self.peer.verification_address or "", self.stranger)


def _stranger(domain: str) -> str:
    """Give an address that nobody has, another one each time, so that no cache knows it."""
    return f"nobody-{secrets.token_hex(8)}@{domain}"


def _ask_all(
    questions: Sequence[_Question], ask: AskPeer, introduction: Introduction
) -> dict[tuple[Relay, str], PeerAnswer]:
    recipients: dict[Relay, list[str]] = {}
    for question in questions:
        for server in question.peer.relay.servers:
            recipients.setdefault(server, []).extend(question.addresses)
    if not recipients:
        return {}
    with ThreadPoolExecutor(min(len(recipients), MOST_AT_ONCE)) as threads:
        heard = threads.map(lambda server: ask(server, recipients[server], introduction), recipients)
        return {
            (server, address): answer
            for server, answers in zip(recipients, heard)
            for address, answer in zip(recipients[server], answers)
        }
