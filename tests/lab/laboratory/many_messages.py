# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A thousand messages to random known and unknown users of both sites: each known one arrives once, no other is taken.
"""Many random messages, and the account of them over all mailboxes, bounces and queues."""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from laboratory.description import LabError, lab_description
from laboratory.expectations import CLOUD, DOMAIN, HQ, OUTSIDE, STRANGER
from laboratory.mailboxes import Message
from laboratory.observation import all_messages
from laboratory.queues import queues
from laboratory.sending import Outgoing, Reply, send
from laboratory.waiting import wait_until

UNKNOWN_SHARE = 0.3
CONNECTIONS = 20
RETRY_SECONDS = 60.0
ARRIVAL_SECONDS = 120.0
ADDRESS_UNKNOWN = (550, "5.1.1")


@dataclass(frozen=True)
class Account:
    """What became of the messages; ``faults`` are sentences, empty when every message went as it must."""

    sent: int
    delivered: int
    refused: int
    seconds: float
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether each known recipient got each message once, and no unknown one was accepted."""
        return not self.faults

    def __str__(self) -> str:
        """Say it for the table."""
        figures = f"{self.delivered} delivered once, {self.refused} refused with 550 ({self.seconds:.0f} s)"
        return figures if self.passed else f"{figures}; {len(self.faults)} wrong, for example: {self.faults[0]}"


def known_recipients(domain: str = DOMAIN) -> dict[str, str]:
    """Give every mailbox of the domain that the description lists, with the host that has it."""
    return {
        mailbox: host.name
        for host in lab_description().mail_servers
        for mailbox in host.mailboxes
        if mailbox.endswith("@" + domain)
    }


def send_many(count: int, known: Mapping[str, str], seed: int) -> Account:
    """Send ``count`` messages from outside to both sites' servers, recipients and spellings drawn with ``seed``."""
    run = f"{secrets.token_hex(4)}.many"
    draw = random.Random(seed)  # noqa: S311 - a test's choice, to be drawn again with the same seed
    expected = [_draw_recipient(draw, sorted(known)) for _number in range(count)]
    messages = [
        Outgoing(draw.choice((HQ, CLOUD)), STRANGER, spelling, f"<{number}.{run}>")
        for number, (spelling, _mailbox) in enumerate(expected)
    ]
    begun = time.monotonic()
    replies = send(OUTSIDE, messages, connections=CONNECTIONS, retry_seconds=RETRY_SECONDS)
    accepted = sum(reply.accepted for reply in replies)

    def arrived() -> bool:
        return not queues() and len(all_messages(run)) >= accepted

    # When time runs out the account says what is missing.
    with suppress(LabError):
        wait_until("every accepted message has arrived", arrived, ARRIVAL_SECONDS, pause=0.5)
    seconds = time.monotonic() - begun
    wanted = {
        message.message_id: (known[mailbox], mailbox) if mailbox else None
        for message, (_spelling, mailbox) in zip(messages, expected)
    }
    faults = account_faults(messages, replies, wanted, all_messages(run))
    faults += [f"a message for {entry.recipients} still waits at {entry.host}" for entry in queues()]
    refused = sum((reply.code, reply.enhanced) == ADDRESS_UNKNOWN for reply in replies)
    return Account(count, accepted, refused, seconds, tuple(faults))


def _draw_recipient(draw: random.Random, known: Sequence[str]) -> tuple[str, str]:
    """Give a recipient in some spelling, and its mailbox; the mailbox is empty for an unknown recipient."""
    if draw.random() < UNKNOWN_SHARE:
        return f"{draw.choice(('hq', 'cloud', 'nobody'))}-{draw.randint(100, 140)}@{DOMAIN}", ""
    mailbox = draw.choice(known)
    local, domain = mailbox.split("@")
    spelling = draw.choice((local, local, local.capitalize(), local.upper(), f"{local}+news"))
    return f"{spelling}@{draw.choice((domain, domain.upper()))}", mailbox


def account_faults(
    messages: Sequence[Outgoing],
    replies: Sequence[Reply],
    wanted: Mapping[str, tuple[str, str] | None],
    found: Sequence[Message],
) -> list[str]:
    """Give a sentence for each message that did not go as it must.

    ``wanted`` has the host and mailbox of each Message-ID, or None where the recipient is unknown; ``found`` is what
    lies in all mailboxes.
    """
    copies = Counter((message.message_id, message.host, message.mailbox) for message in found if not message.about)
    faults = [f"a bounce about {message.about} in {message.mailbox}" for message in found if message.about]
    for message, reply in zip(messages, replies):
        goal = wanted[message.message_id]
        said = f"{message.recipient} at {message.server}: {reply.code} {reply.text}"
        if goal is None and (reply.code, reply.enhanced) != ADDRESS_UNKNOWN:
            faults.append(f"an unknown recipient was not refused as one: {said}")
        if goal is not None and not reply.accepted:
            faults.append(f"a known recipient was not accepted: {said}")
        if goal is not None and copies.pop((message.message_id, *goal), 0) != 1:
            faults.append(f"not exactly one copy in {goal[1]} on {goal[0]}: {said}")
    faults += [f"a copy where none belongs: {key}" for key in copies]
    return faults
