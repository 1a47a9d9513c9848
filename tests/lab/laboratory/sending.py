# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sending mail from a host of the laboratory, one message or a thousand, and what the servers answered.
"""SMTP clients that run inside the laboratory's hosts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from laboratory.podman import run_in

# Runs inside the host. A refused message is not tried again; a deferred one is, for as long as ``retry_seconds``
# says, as a mail server would. A message of which only the recipient is asked for never gets to DATA.
_CLIENT = r"""
import json, queue, smtplib, socket, sys, threading, time

work = json.load(sys.stdin)
todo = queue.Queue()
for number, message in enumerate(work["messages"]):
    todo.put((number, message))
answers = {}
deadline = time.monotonic() + work["retry_seconds"]

def converse(client, message):
    client.rset()
    code, text = client.mail(message["sender"], message["at_mail"])
    if code != 250:
        return code, text
    code, text = client.rcpt(message["recipient"], message["at_rcpt"])
    if code // 100 != 2 or work["only_ask"]:
        return code, text
    body = message["body"] or message["subject"]
    content = "" if body.isascii() else (
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    )
    return client.data((
        f"From: <{message['sender']}>\r\nTo: <{message['recipient']}>\r\nSubject: {message['subject']}\r\n"
        f"Message-ID: {message['message_id']}\r\n{content}\r\n{body}\r\n"
    ).encode())

def connect(server):
    client = smtplib.SMTP(timeout=60)
    code, text = client.connect(server, 25)
    if code != 220:
        raise smtplib.SMTPConnectError(code, text)
    client.ehlo()
    return client

def serve():
    clients = {}
    while True:
        try:
            number, message = todo.get_nowait()
        except queue.Empty:
            return
        server = message["server"]
        begun = time.monotonic()
        while True:
            try:
                if server not in clients:
                    clients[server] = connect(server)
                code, text = converse(clients[server], message)
            except (OSError, smtplib.SMTPException) as error:
                clients.pop(server, None)
                code, text = 0, str(error).encode()
            if code // 100 not in (0, 4) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        answers[number] = {
            "code": code, "text": text.decode(errors="replace"), "seconds": time.monotonic() - begun,
        }

threads = [threading.Thread(target=serve) for _ in range(work["connections"])]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
json.dump([answers[number] for number in range(len(work["messages"]))], sys.stdout)
"""


@dataclass(frozen=True)
class Outgoing:
    """One message to hand to ``server`` (a host name or address; ``localhost`` is the sending host's own Postfix).

    ``at_mail`` and ``at_rcpt`` are said beside the addresses, as ``BODY=8BITMIME``; an empty body is the subject again.
    """

    server: str
    sender: str
    recipient: str
    message_id: str
    subject: str = "A message of the laboratory"
    body: str = ""
    at_mail: tuple[str, ...] = ()
    at_rcpt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """The last word of the server about one message; code 0 when there was no connection. Time in seconds."""

    code: int
    text: str
    seconds: float

    @property
    def accepted(self) -> bool:
        """Whether the server took the message (or, when it was only asked, would take it)."""
        return self.code // 100 == 2  # noqa: PLR2004 - the first digit of RFC 5321, section 4.2.1

    @property
    def enhanced(self) -> str:
        """The enhanced status code of RFC 3463, empty where there is none."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", self.text)
        return found.group(0) if found else ""


def send(
    host: str, messages: Sequence[Outgoing], connections: int = 1, retry_seconds: float = 0, only_ask: bool = False
) -> list[Reply]:
    """Send the messages from inside ``host``; give one reply for each, in their order.

    ``only_ask`` ends each dialogue after RCPT. Deferred messages (4xx, no connection) are tried again for
    ``retry_seconds``.
    """
    work = {
        "messages": [asdict(message) for message in messages],
        "connections": connections,
        "retry_seconds": retry_seconds,
        "only_ask": only_ask,
    }
    answer = run_in(host, "python3", "-c", _CLIENT, data=json.dumps(work).encode())
    return [Reply(**reply) for reply in json.loads(answer.out)]


def ask(host: str, server: str, recipient: str, sender: str = "sender@example.org") -> Reply:
    """Give what ``server`` answers ``host`` at RCPT for one recipient; no message is sent."""
    return send(host, [Outgoing(server, sender, recipient, "")], only_ask=True)[0]
