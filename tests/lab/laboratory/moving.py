# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Mailboxes that move to the other site, both ways at once, while mail for them keeps coming.
"""A move under load: every message arrives at the old home or at the new one, none is refused or bounced."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from laboratory.description import LabError
from laboratory.directories import DIRECTORIES
from laboratory.expectations import CLOUD, DOMAIN, HQ, OUTSIDE, STRANGER
from laboratory.mailboxes import ensure_mailboxes, remove_mailboxes
from laboratory.observation import all_messages
from laboratory.queues import queues
from laboratory.sending import Outgoing, Reply, send
from laboratory.site_run import map_folder, run_site
from laboratory.waiting import wait_until

MOVERS = {
    "hq": tuple(f"hq-{number:02}@{DOMAIN}" for number in range(1, 11)),
    "cloud": tuple(f"cloud-{number:02}@{DOMAIN}" for number in range(1, 11)),
}
HOST_OF_SITE = {"hq": HQ, "cloud": CLOUD}
CONNECTIONS = 6
ARRIVAL_SECONDS = 90.0


class _Stream:
    """Mail from outside for all movers, to both sites' servers, in rounds until it is told to end."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._flow)
        self.sent: list[tuple[Outgoing, Reply]] = []

    def __enter__(self) -> _Stream:
        self._thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._ended.set()
        self._thread.join()

    def _flow(self) -> None:
        while not self._ended.is_set():
            first = len(self.sent)
            mailboxes = [
                (mailbox, server) for movers in MOVERS.values() for mailbox in movers for server in (HQ, CLOUD)
            ]
            messages = [
                Outgoing(server, STRANGER, mailbox, f"<{first + number}.{self._run}>")
                for number, (mailbox, server) in enumerate(mailboxes)
            ]
            replies = send(OUTSIDE, messages, connections=CONNECTIONS, retry_seconds=30)
            self.sent += zip(messages, replies)


def prove_move(form: str) -> list[str]:
    """Let the movers change their sites and come back under a stream of mail; give what went wrong."""
    moved = DIRECTORIES.with_name("moved-directories")
    _write_moved(moved)
    for site, host in HOST_OF_SITE.items():
        ensure_mailboxes(host, MOVERS["cloud" if site == "hq" else "hq"])
    run = f"{secrets.token_hex(4)}.move"
    with _Stream(run) as stream:
        time.sleep(1)
        # One server after the other, as with a hundred of them: this is when a wrong order would show.
        there = run_site(map_folder(form), "--forks", "1", "-e", f"lab_directories={moved}")
        back = run_site(map_folder(form), "--forks", "1")
        time.sleep(1)
    faults = _account(stream.sent, run)
    if not there.changed or not back.changed:
        faults.append("the playbook moved nobody")
    for site, host in HOST_OF_SITE.items():
        remove_mailboxes(host, MOVERS["cloud" if site == "hq" else "hq"])
    shutil.rmtree(moved)
    print(f"{sum(map(len, MOVERS.values()))} mailboxes moved and came back, {len(stream.sent)} messages meanwhile.")
    return faults


def _write_moved(folder: Path) -> None:
    """Write the directories with the movers on the other site."""
    shutil.copytree(DIRECTORIES, folder, dirs_exist_ok=True)
    other = {"hq": "cloud", "cloud": "hq"}
    site_of_mover = {mailbox: other[site] for site, movers in MOVERS.items() for mailbox in movers}
    path = folder / "example.com.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines]
    rows = [[address, site_of_mover.get(address, site), *rest] for address, site, *rest in rows]
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def _account(sent: list[tuple[Outgoing, Reply]], run: str) -> list[str]:
    """Give a sentence for each message that was refused, bounced, lost or delivered twice."""

    def arrived() -> bool:
        return not queues() and len(all_messages(run)) >= len(sent)

    # When time runs out the account says what is missing.
    with suppress(LabError):
        wait_until("every message has arrived", arrived, ARRIVAL_SECONDS, pause=0.5)
    found = all_messages(run)
    faults = [f"a bounce about {message.about} in {message.mailbox}" for message in found if message.about]
    copies = Counter((message.message_id, message.mailbox) for message in found if not message.about)
    for message, reply in sent:
        if not reply.accepted:
            faults.append(f"{message.recipient} was not taken at {message.server}: {reply.code} {reply.text}")
        elif copies[message.message_id, message.recipient] != 1:
            count = copies[message.message_id, message.recipient]
            faults.append(f"{count} copies for {message.recipient}, sent to {message.server}")
    return faults
