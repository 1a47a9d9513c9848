# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sending the mail of the expectations, and looking at every mailbox, bounce and queue for what became of it.
"""What happened to the mail of a list of expectations."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from laboratory.description import LabError, lab_description
from laboratory.expectations import Bounced, Deferred, Delivered, Expectation, Held, Refused
from laboratory.machines import start, stop
from laboratory.mailboxes import Message, messages_on
from laboratory.queues import Queued, flush_queue, queues
from laboratory.sending import Outgoing, Reply, send
from laboratory.waiting import wait_until

DELIVERY_SECONDS = 40.0
# A server asks again for a recipient that it could not ask for after a minute (address_verify_negative_refresh_time),
# and the outside system tries again every few seconds.
RECOVERY_SECONDS = 200.0


@dataclass(frozen=True)
class Outcome:
    """One row of the table: what was expected, what happened, over which servers, and whether that is right."""

    row: Expectation
    passed: bool
    happened: str
    hops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Traces:
    """What is found of one message: the copies in mailboxes, the bounces about it, and what still waits of it."""

    copies: tuple[Message, ...]
    bounces: tuple[Message, ...]
    waiting: tuple[Queued, ...]


@dataclass(frozen=True)
class Sent:
    """A row on its way: its message, the first server's answer, and what was seen while a host was stopped."""

    row: Expectation
    message: Outgoing
    reply: Reply
    meanwhile: str = ""


def observe(rows: Sequence[Expectation], say: Callable[[str], None] = lambda text: None) -> list[Outcome]:
    """Send the mail of all rows, rows with a stopped host last; give the outcomes in the rows' order."""
    run = f"{secrets.token_hex(4)}.lab"
    rows = [replace(row, recipient=row.recipient.format(run=run.split(".", maxsplit=1)[0])) for row in rows]
    sent: dict[int, Sent] = {}
    for number, row in enumerate(rows):
        if not row.stopped:
            sent[number] = _send(row, number, run)
    _settle(list(sent.values()), run, DELIVERY_SECONDS)
    for host in sorted({row.stopped for row in rows if row.stopped}):
        say(f"{host} is stopped now, and started again after the next messages were sent.")
        late = {number: row for number, row in enumerate(rows) if row.stopped == host}
        sent.update(_send_while_stopped(host, late, run))
        _settle(list(sent.values()), run, RECOVERY_SECONDS)
    found = _look(run)
    waiting = queues()
    return [judge(sent[number], _traces(sent[number].message, found, waiting)) for number in sorted(sent)]


def all_messages(marked: str) -> list[Message]:
    """Give the messages with that mark from the mailboxes of all hosts."""
    return [message for host in lab_description().mail_servers for message in messages_on(host.name, marked)]


def _send(row: Expectation, number: int, run: str) -> Sent:
    message = Outgoing(row.server, row.sender, row.recipient, f"<{number}.{run}>", f"{row.who} to {row.recipient}")
    return Sent(row, message, send(row.host, [message])[0])


def _send_while_stopped(host: str, rows: dict[int, Expectation], run: str) -> dict[int, Sent]:
    stop(host)
    try:
        sent = {number: _send(row, number, run) for number, row in rows.items()}
        seen = {number: replace(one, meanwhile=_seen_waiting(one)) for number, one in sent.items()}
    finally:
        start(host)
    return seen


def _seen_waiting(one: Sent) -> str:
    """Give where the message waits and why, once it does; empty when it does not within the time of a delivery."""
    must = one.row.must
    place, word = (must.queue, "") if isinstance(must, Held) else (one.row.host, " 450 ")

    def found() -> str:
        for entry in queues():
            reason = next((reason for reason in entry.reasons if reason), "")
            if entry.host == place and one.row.recipient in entry.recipients and reason and word in reason:
                return f"waits at {entry.host}: {reason}"
        return ""

    try:
        return wait_until(f"{one.row.recipient} waits at {place}", found, DELIVERY_SECONDS)
    except LabError:
        return ""


def _settle(sent: Sequence[Sent], run: str, seconds: float) -> None:
    """Return when everything that is expected has come and all queues are empty, or after ``seconds``."""

    def settled() -> bool:
        found = _look(run)
        missing = [one for one in sent if not _arrived(one, found)]
        # A message that is just on its way into a timeout is passed over by a flush: so every look has its own.
        for queue in {one.row.must.queue for one in missing if isinstance(one.row.must, Held)}:
            flush_queue(queue)
        return not missing and not queues()

    try:
        wait_until("all mail has arrived", settled, seconds, pause=0.5)
    except LabError:
        return  # The rows say what is missing.


def _arrived(one: Sent, found: Sequence[Message]) -> bool:
    must = one.row.must
    if isinstance(must, Refused):
        return True
    key = one.message.message_id
    if isinstance(must, Bounced):
        return any(message.about == key for message in found)
    return any(message.message_id == key for message in found)


def _look(run: str) -> list[Message]:
    return all_messages(run)


def _traces(message: Outgoing, found: Sequence[Message], waiting: Sequence[Queued]) -> Traces:
    return Traces(
        copies=tuple(copy for copy in found if copy.message_id == message.message_id),
        bounces=tuple(bounce for bounce in found if bounce.about == message.message_id),
        waiting=tuple(entry for entry in waiting if message.recipient in entry.recipients),
    )


def judge(one: Sent, traces: Traces) -> Outcome:
    """Hold what is found of a message against what its row says must happen."""
    must = one.row.must
    hops = traces.copies[0].hops if traces.copies else ()
    if isinstance(must, Refused):
        right = one.reply.code in must.codes and one.reply.enhanced in must.enhanced and traces == Traces((), (), ())
    elif isinstance(must, Bounced):
        right = (
            one.reply.accepted
            and not traces.copies
            and not traces.waiting
            and [(bounce.host, bounce.mailbox, bounce.sender) for bounce in traces.bounces]
            == [(must.host, must.mailbox, "<>")]
            # The bounce was made by the first server: nobody else has taken the message.
            and set(traces.bounces[0].hops) == {must.host}
        )
    else:
        goal = must if isinstance(must, Delivered) else must.then
        right = (
            one.reply.accepted
            and [(copy.host, copy.mailbox, copy.hops) for copy in traces.copies]
            == [(goal.host, goal.mailbox, goal.hops)]
            and not traces.bounces
            and not traces.waiting
            and (isinstance(must, Delivered) or one.meanwhile != "")
        )
    return Outcome(one.row, right, _in_words(one, traces), hops)


def _in_words(one: Sent, traces: Traces) -> str:
    parts = []
    if not one.reply.accepted:
        parts.append(f"{one.reply.code} {one.reply.text}")
    if one.meanwhile:
        parts.append(one.meanwhile)
    elif isinstance(one.row.must, (Held, Deferred)):
        parts.append("was not seen waiting")
    parts += [f"in the mailbox {copy.mailbox} on {copy.host}" for copy in traces.copies]
    parts += [f"bounce in the mailbox {bounce.mailbox} on {bounce.host}" for bounce in traces.bounces]
    parts += [f"still in the queue of {entry.host}: {'; '.join(entry.reasons)}" for entry in traces.waiting]
    return "; then ".join(parts) or f"accepted ({one.reply.code} {one.reply.text}), and found nowhere"
