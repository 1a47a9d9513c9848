# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The mailboxes of the laboratory: which ones a host has, and every message that lies in them.
"""Mailboxes: who has one, and what is in it.

A mailbox is called by its address, and Dovecot delivers to it; or by a name alone: then it is the folder ``Maildir`` of
the Unix user of that name, and the host's own Postfix delivers to it where it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from laboratory.podman import run_in

MAILBOX_FILE = "/etc/dovecot/mailboxes"

_READ = r"""
import email, email.policy, json, pathlib, re, sys
marked = sys.argv[1]
# A bounce quotes the message that it is about; its own Message-ID comes first.
ABOUT = re.compile(rb"\n\n.*^Message-ID: (\S+)", re.I | re.M | re.S)
DOVECOT, UNIX_USERS = pathlib.Path("/var/vmail").glob("*/*/*/*"), pathlib.Path("/home").glob("*/Maildir/*/*")
paths = [(f"{path.parts[-3]}@{path.parts[-4]}", path) for path in DOVECOT]
paths += [(path.parts[-4], path) for path in UNIX_USERS]
found = []
for mailbox, path in paths:
    if path.parent.name not in ("new", "cur"):
        continue
    text = path.read_bytes()
    head = email.message_from_bytes(text.split(b"\n\n", 1)[0], policy=email.policy.compat32)
    if marked.encode() not in text:
        continue
    received = [" ".join(str(line).split()) for line in head.get_all("Received", [])]
    hops = [match.group(1) for line in reversed(received) if (match := re.search(r"\bby (\S+)", line))]
    found.append({
        "mailbox": mailbox,
        "message_id": (head.get("Message-ID") or "").strip(),
        "sender": (head.get("Return-Path") or "").strip(),
        "about": (about.group(1).decode() if (about := ABOUT.search(text)) else head.get("In-Reply-To", "").strip()),
        "text": text.decode(errors="replace"),
        "hops": [hop for number, hop in enumerate(hops) if hops[number - 1: number] != [hop]],
    })
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class Message:
    """One message in a mailbox.

    ``hops`` are the servers that it came over, the first server first, as they wrote themselves into ``Received``.
    ``sender`` is the envelope sender, ``<>`` for a bounce; ``about`` is the Message-ID of the message that a bounce
    quotes or an answer is to, empty where there is none. ``text`` is all of it, head and body.
    """

    host: str
    mailbox: str
    message_id: str
    sender: str
    about: str
    hops: tuple[str, ...]
    text: str = ""


def mailbox_lines(addresses: Iterable[str]) -> str:
    """Give the text of Dovecot's passwd-file for these addresses; the password is the word ``secret``."""
    return "".join(f"{address}:{{plain}}secret::::::\n" for address in sorted(set(addresses)))


def set_mailboxes(host: str, addresses: Iterable[str]) -> None:
    """Make ``addresses`` Dovecot's mailboxes on ``host``, all and no others; it holds for the next recipient."""
    run_in(
        host,
        "sh",
        "-c",
        f"cat > {MAILBOX_FILE}.new && mv {MAILBOX_FILE}.new {MAILBOX_FILE}",
        data=mailbox_lines(addresses).encode(),
    )


def ensure_mailboxes(host: str, mailboxes: Iterable[str]) -> None:
    """See to it that ``host`` has these mailboxes beside those that it has; a Unix user comes with a home folder."""
    users, addresses = _by_kind(mailboxes)
    for user in users:
        if not _has_user(host, user):
            run_in(host, "useradd", "--create-home", user)
    present = _addresses(host)
    if not addresses <= present:
        set_mailboxes(host, present | addresses)


def remove_mailboxes(host: str, mailboxes: Iterable[str]) -> None:
    """Take these mailboxes away from ``host``; messages for addresses stay on its disk, a Unix user's go."""
    users, addresses = _by_kind(mailboxes)
    for user in users:
        if _has_user(host, user):
            run_in(host, "userdel", "--remove", user)
    set_mailboxes(host, _addresses(host) - addresses)


def messages_on(host: str, marked: str = "") -> list[Message]:
    """Give every message in every mailbox of ``host``, or only those whose text holds ``marked``."""
    answer = run_in(host, "python3", "-", marked, data=_READ.encode())
    return [Message(host=host, **{**entry, "hops": tuple(entry["hops"])}) for entry in json.loads(answer.out)]


def empty_mailboxes(host: str) -> None:
    """Remove all messages of ``host``."""
    run_in(host, "sh", "-c", "rm -rf /var/vmail/*")


def _by_kind(mailboxes: Iterable[str]) -> tuple[set[str], set[str]]:
    """Give the mailboxes of Unix users, and those of addresses."""
    users = {mailbox for mailbox in mailboxes if "@" not in mailbox}
    return users, set(mailboxes) - users


def _has_user(host: str, user: str) -> bool:
    return run_in(host, "id", user, check=False).code == 0


def _addresses(host: str) -> set[str]:
    """Give the addresses for which Dovecot has a mailbox on ``host``."""
    return {line.split(":", 1)[0] for line in run_in(host, "cat", MAILBOX_FILE).out.splitlines()}
