# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Where a server's mailboxes would be: an LMTP server that keeps the envelope recipients of all that it is given.

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from split_network import Network


class MailboxSink(socketserver.ThreadingTCPServer):
    """An LMTP server (RFC 2033); ``delivered`` has a pair of subject and recipient for each mailbox written to."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str) -> None:
        self.delivered: list[tuple[str, str]] = []
        super().__init__((address, 0), _Session)

    @property
    def transport(self) -> str:
        """The transport(5) that leads here."""
        return f"lmtp:inet:[{self.server_address[0]!s}]:{self.server_address[1]}"

    def recipients(self, subject: str) -> list[str]:
        """Give the mailboxes that a message was delivered to, sorted; one that got it twice stands there twice."""
        return sorted(recipient for its_subject, recipient in list(self.delivered) if its_subject == subject)

    def wait_for(self, subject: str, count: int) -> list[str]:
        """Give the mailboxes as soon as there are so many."""
        deadline = time.monotonic() + 30
        while len(self.recipients(subject)) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.recipients(subject)


class _Session(socketserver.StreamRequestHandler):
    server: MailboxSink

    def handle(self) -> None:
        recipients: list[str] = []
        self._say("220 mailboxes")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"RCPT":
                recipients.append(line.decode().partition("<")[2].partition(">")[0])
                self._say("250 2.1.5 ok")
            elif word == b"DATA":
                self._say("354 go on")
                self._take(recipients)
                recipients = []
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, recipients: list[str]) -> None:
        subject = ""
        for line in self.rfile:
            if line.lower().startswith(b"subject:"):
                subject = line.decode().partition(":")[2].strip()
            if line == b".\r\n":
                break
        for recipient in recipients:
            self.server.delivered.append((subject, recipient))
            self._say("250 2.0.0 delivered")

    def _say(self, text: str) -> None:
        try:
            self.wfile.write(text.encode() + b"\r\n")
        except (BrokenPipeError, socket.timeout):
            return


@contextmanager
def mailbox_sink(network: Network, host: str) -> Iterator[MailboxSink]:
    """Give the mailboxes of a host of the network."""
    sink: MailboxSink = network.at(host, MailboxSink, network.address(host))
    thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        thread.join()
        sink.server_close()
