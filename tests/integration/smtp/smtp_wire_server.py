# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A server that says on the wire what no real mail server says on demand: silence, junk, 421 at the wrong moment.

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Union

CLOSE = b""
SILENCE = None
DRIP = b"DRIP"
SECONDS_BETWEEN_DRIPS = 0.05
Reply = Union[bytes, Callable[[int, int], Union[bytes, None]], None]


@dataclass
class WireServer:
    """Listens on a free port of 127.0.0.1, or where ``place`` says, and answers each verb with what ``replies`` holds.

    A reply is bytes, CLOSE, SILENCE, DRIP (one that never ends, a byte now and then), or a function of the number of
    the connection and the number of this verb in it, both counted from 0. ``connections`` holds the command lines of
    each connection.
    """

    greeting: Reply = b"220 wire ESMTP\r\n"
    replies: dict[str, Reply] = field(default_factory=dict)
    connections: list[list[str]] = field(default_factory=list)
    place: tuple[str, int] = ("127.0.0.1", 0)

    def __post_init__(self) -> None:
        self.replies = {
            "EHLO": b"250-wire\r\n250 PIPELINING\r\n",
            "HELO": b"250 wire\r\n",
            "MAIL": b"250 2.1.0 Ok\r\n",
            "RCPT": b"250 2.1.5 Ok\r\n",
            "RSET": b"250 2.0.0 Ok\r\n",
            "QUIT": b"221 2.0.0 Bye\r\n",
            **self.replies,
        }
        self._listener = socket.create_server(self.place)
        self.port: int = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._acceptor = threading.Thread(target=self._serve, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, and let go of clients that are kept waiting."""
        self._ended.set()
        # A thread left behind in accept(2) may be woken, and go on with whoever listens on the same descriptor by then.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            lines: list[str] = []
            self.connections.append(lines)
            threading.Thread(
                target=self._converse, args=(client, lines, len(self.connections) - 1), daemon=True
            ).start()

    def _converse(self, client: socket.socket, lines: list[str], number: int) -> None:
        # A client that gives up in the middle is what these tests are about.
        with contextlib.suppress(OSError), client, client.makefile("rb") as incoming:
            if not self._say(client, self.greeting, number, 0):
                return
            asked: dict[str, int] = {}
            for line in incoming:
                lines.append(line.decode("latin-1").rstrip("\r\n"))
                verb = lines[-1].split(" ")[0].upper()
                count = asked[verb] = asked.get(verb, -1) + 1
                if not self._say(client, self.replies.get(verb, b"500 5.5.2 What?\r\n"), number, count):
                    return

    def _say(self, client: socket.socket, reply: Reply, number: int, count: int) -> bool:
        """Send a reply; False when the conversation is over."""
        words = reply(number, count) if callable(reply) else reply
        if words is SILENCE:
            self._ended.wait()
            return False
        while words is DRIP and not self._ended.wait(SECONDS_BETWEEN_DRIPS):
            client.sendall(b"2")
        client.sendall(words)
        return bool(words) and not words.startswith((b"421", b"221"))
