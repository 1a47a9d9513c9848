# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sending the mail of the expectations, and looking at every mailbox, bounce and queue for what became of it.
"""What happened to the mail of a list of expectations."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from laboratory.description import LabError, lab_description
from laboratory.expectations import Answered, Bounced, Copies, Deferred, Delivered, Expectation, Held, Must, Refused
from laboratory.extensions import extended, is_unharmed
from laboratory.machines import cut_off, stopped
from laboratory.mailboxes import Message, messages_on
from laboratory.podman import is_running
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


def observe(
    rows: Sequence[Expectation], say: Callable[[str], None] = lambda text: None, among: Sequence[str] = ()
) -> list[Outcome]:
    """Send the mail of all rows, rows with a stopped host last; give the outcomes in the rows' order.

    ``among`` are the hosts whose mailboxes and queues are looked into, by default all that run.
    """
    run = f"{secrets.token_hex(4)}.lab"
    rows = [replace(row, recipient=row.recipient.format(run=run.split(".", maxsplit=1)[0])) for row in rows]
    hosts = tuple(among) or running_mail_servers()
    sent: dict[int, Sent] = {}
    for number, row in enumerate(rows):
        if not row.stopped:
            sent[number] = _send(row, number, run)
    _settle(list(sent.values()), run, DELIVERY_SECONDS, hosts)
    for outage in sorted({(row.stopped, row.cut_off) for row in rows if row.stopped}):
        host, cut = outage
        say(f"{host} is {'cut off' if cut else 'stopped'} now, and back after the next messages were sent.")
        late = {number: row for number, row in enumerate(rows) if (row.stopped, row.cut_off) == outage}
        with cut_off(host) if cut else stopped(host):
            sent.update(_send_during_outage(late, run, [other for other in hosts if cut or other != host]))
        _settle(list(sent.values()), run, RECOVERY_SECONDS, hosts)
    found = all_messages(run, hosts)
    waiting = queues(hosts)
    return [judge(sent[number], _traces(sent[number].message, found, waiting)) for number in sorted(sent)]


def running_mail_servers() -> tuple[str, ...]:
    """Give the hosts with mailboxes that are switched on."""
    return tuple(host.name for host in lab_description().mail_servers if is_running(host.name))


def all_messages(marked: str, hosts: Sequence[str] = ()) -> list[Message]:
    """Give the messages with that mark from the mailboxes of these hosts, by default of all that run."""
    return [message for host in hosts or running_mail_servers() for message in messages_on(host, marked)]


def _send(row: Expectation, number: int, run: str) -> Sent:
    message = Outgoing(row.server, row.sender, row.recipient, f"<{number}.{run}>", f"{row.who} to {row.recipient}")
    message = extended(message, row.extension)
    return Sent(row, message, send(row.host, [message])[0])


def _send_during_outage(rows: dict[int, Expectation], run: str, hosts: Sequence[str]) -> dict[int, Sent]:
    sent = {number: _send(row, number, run) for number, row in rows.items()}
    seen = {number: replace(one, meanwhile=_seen_waiting(one)) for number, one in sent.items()}
    # What does not need the missing host has to get along without it.
    unharmed = [one for one in sent.values() if not isinstance(one.row.must, (Held, Deferred))]
    with suppress(LabError):  # The rows say what is missing.
        wait_until("the mail has come", lambda: _all_arrived(unharmed, all_messages(run, hosts)), DELIVERY_SECONDS)
    return seen


def _all_arrived(sent: Sequence[Sent], found: Sequence[Message]) -> bool:
    return all(_arrived(one, found) for one in sent)


def _seen_waiting(one: Sent) -> str:
    """Give where the message waits and why, once it does; empty when it does not within the time of a delivery."""
    must = one.row.must
    if not isinstance(must, (Held, Deferred)):
        return ""
    place, word = (must.queue, "") if isinstance(must, Held) else (one.row.host, " 450 ")

    def found() -> str:
        for entry in queues():
            reason = next((reason for reason in entry.reasons if reason), "")
            # A copy for another site waits under a name of its own in another domain.
            users = {recipient.partition("@")[0] for recipient in entry.recipients}
            if entry.host == place and one.row.recipient.partition("@")[0] in users and reason and word in reason:
                return f"waits at {entry.host}: {reason}"
        return ""

    try:
        return wait_until(f"{one.row.recipient} waits at {place}", found, DELIVERY_SECONDS)
    except LabError:
        return ""


def _settle(sent: Sequence[Sent], run: str, seconds: float, hosts: Sequence[str]) -> None:
    """Return when everything that is expected has come and all queues are empty, or after ``seconds``."""

    def settled() -> bool:
        found = all_messages(run, hosts)
        missing = [one for one in sent if not _arrived(one, found)]
        # A message that is just on its way into a timeout is passed over by a flush: so every look has its own.
        for queue in {one.row.must.queue for one in missing if isinstance(one.row.must, Held)}:
            flush_queue(queue)
        return not missing and not queues(hosts)

    try:
        wait_until("all mail has arrived", settled, seconds, pause=0.5)
    except LabError:
        return  # The rows say what is missing.


def _arrived(one: Sent, found: Sequence[Message]) -> bool:
    must = one.row.must
    if isinstance(must, Refused):
        return True
    key = one.message.message_id
    if isinstance(must, (Bounced, Answered)):
        return any(message.about == key for message in found)
    goal = must.then if isinstance(must, Held) else must
    wanted = len(goal.places) if isinstance(goal, Copies) and not goal.one_of else 1
    return sum(message.message_id == key for message in found) >= wanted


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
            # Only who has taken the message makes a bounce of it; the first server, where nobody else has.
            and _made_by(traces.bounces[0], must)
        )
    else:
        right = (
            one.reply.accepted
            and _where_they_belong(must.then if isinstance(must, (Held, Deferred, Answered)) else must, traces.copies)
            and all(is_unharmed(one.row.extension, copy.text) for copy in traces.copies)
            and _answered(must, traces.bounces)
            and not traces.waiting
            and (not isinstance(must, (Held, Deferred)) or one.meanwhile != "")
        )
    return Outcome(one.row, right, _in_words(one, traces), hops)


def _answered(must: Must, answers: Sequence[Message]) -> bool:
    if not isinstance(must, Answered):
        return not answers
    found = [(answer.host, answer.mailbox) for answer in answers]
    return found == [(must.host, must.mailbox)] and must.by in ("", *answers[0].hops[:1])


def _made_by(bounce: Message, must: Bounced) -> bool:
    if must.by in ("", must.host):
        return set(bounce.hops) == {must.host}
    return bounce.hops[:1] == (must.by,)


def _where_they_belong(goal: Delivered | Copies, copies: Sequence[Message]) -> bool:
    if isinstance(goal, Copies) and not goal.one_of:
        # Who got which copy first is nobody's business.
        return len(copies) == len(goal.places) and all(
            any(_where_they_belong(place, [copy]) for copy in copies) for place in goal.places
        )
    places = goal.places if isinstance(goal, Copies) else (goal,)
    return len(copies) == 1 and any(
        (copies[0].host, copies[0].mailbox) == (place.host, place.mailbox) and place.hops in (None, copies[0].hops)
        for place in places
    )


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
