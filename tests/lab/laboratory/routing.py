# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Routing modes on the laboratory: mail to one domain whose servers follow its MX records.
"""Mail to a domain whose servers have routing modes."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from laboratory.description import LAB_FOLDER, LabError
from laboratory.expectations import CLOUD, HQ, OUTSIDE
from laboratory.inventory import INVENTORY
from laboratory.mailboxes import Message, messages_on
from laboratory.playbook_run import PlaybookRun, ansible_playbook, run_playbook
from laboratory.queues import flush_queue, queues
from laboratory.sending import Outgoing, Reply, send
from laboratory.waiting import wait_until

DOMAIN = "shop.example.com"
SENDER = "sender@example.org"
SERVERS = (HQ, CLOUD)
ARRIVAL_SECONDS = 90.0
FOLDER = LAB_FOLDER / "maps" / "routing"


def users(site: str, count: int) -> list[str]:
    """Give the addresses of a site's mailboxes."""
    return [f"{site}-{number:02}@{DOMAIN}" for number in range(count)]


def run_routing(*flags: str, mx: Mapping[str, int] | None = None, **variables: object) -> PlaybookRun:
    """Publish the MX set (preferences by exchange), and set the modes; ``variables`` are those of routing.yml.

    Nothing is installed: the scenario has converged before, and looking for packages takes longer than all the rest.
    """
    if mx is not None:
        variables["lab_mx"] = [{"preference": preference, "exchange": name} for name, preference in mx.items()]
    inventories = ("-i", str(FOLDER / "hosts.yml"), "-i", str(INVENTORY))
    options = ("--skip-tags", "install", "-e", json.dumps(variables))
    command = ansible_playbook(str(FOLDER / "routing.yml"), *inventories, *options, *flags)
    return run_playbook(command)


@dataclass(frozen=True)
class Mailing:
    """Messages that were handed over together, with what was said to each."""

    messages: tuple[Outgoing, ...]
    replies: tuple[Reply, ...]

    @property
    def mark(self) -> str:
        """What the identifiers of all its messages have in common."""
        return self.messages[0].message_id.partition(".")[2].rstrip(">")

    @property
    def accepted(self) -> list[Outgoing]:
        """The messages that were taken."""
        return [message for message, reply in zip(self.messages, self.replies) if reply.accepted]

    def faults(self, codes: Iterable[int], enhanced: Iterable[str] = ()) -> list[str]:
        """Give a sentence for each message that got an answer other than one of these."""
        wanted, fine = tuple(codes), tuple(enhanced)
        return [
            f"{message.recipient} at {message.server}: {reply.code} {reply.text}"
            for message, reply in zip(self.messages, self.replies)
            if reply.code not in wanted or (fine and reply.enhanced not in fine)
        ]

    def arrived(self) -> list[Message]:
        """Give the copies of its messages in all mailboxes, and the bounces about them."""
        return [message for host in (*SERVERS, OUTSIDE) for message in messages_on(host, self.mark)]

    def misdelivered(self, homes: Iterable[str]) -> list[str]:
        """Wait for what was taken; give a sentence for each that is not once in a mailbox of ``homes``."""
        where = tuple(homes)
        try:
            wait_until("all mail has arrived", lambda: not queues() and self._all_there(), ARRIVAL_SECONDS, pause=0.5)
        except LabError as error:
            faults = [str(error)]
        else:
            faults = []
        found = self.arrived()
        copies = Counter(copy.message_id for copy in found if not copy.about and copy.host in where)
        faults += [f"a bounce about {copy.about} in {copy.mailbox}" for copy in found if copy.about]
        faults += [f"a copy in {copy.mailbox} on {copy.host}" for copy in found if copy.host not in where]
        faults += [
            f"{copies[message.message_id]} copies of a message for {message.recipient}"
            for message in self.accepted
            if copies[message.message_id] != 1
        ]
        return [*faults, *(f"a message waits at {entry.host}: {entry.reasons}" for entry in queues())]

    def _all_there(self) -> bool:
        return {message.message_id for message in self.accepted} <= {copy.message_id for copy in self.arrived()}


def mail(
    recipients: Sequence[str], server: str, host: str = OUTSIDE, retry_seconds: float = 0, sender: str = SENDER
) -> Mailing:
    """Send one message to each recipient from ``host`` at ``server``."""
    run = f"{secrets.token_hex(4)}.routing"
    messages = [Outgoing(server, sender, recipient, f"<{number}.{run}>") for number, recipient in enumerate(recipients)]
    return Mailing(tuple(messages), tuple(send(host, messages, connections=10, retry_seconds=retry_seconds)))


def flush(host: str) -> None:
    """Have the queue of a host tried now."""
    flush_queue(host)
