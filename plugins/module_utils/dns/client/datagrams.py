# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Datagrams to a DNS server and back, of which only the true replies count. Private to this collection.

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import TransportError, silence

_LARGEST = 65536
# A datagram is sent again after this many seconds, up to the timeout. So many are in flight at once: the replies to
# twice as many overflow the buffer that Linux gives a socket, and each that is lost costs a second.
_RESEND_AFTER = 1.0
_WINDOW = 50
# So many seconds a reply is waited for that proves more than the one at hand, which is looked at again so often.
_SECOND_THOUGHTS = 1.0
_SECOND_LOOK = 0.1


class Worth(Enum):
    """What a datagram is worth that has the id of a question; anybody can send one (RFC 5452 section 9.1)."""

    ANSWER = "answer"
    """The reply to the question."""
    PERHAPS = "perhaps"
    """A reply as servers give it that proves little: it is believed when nothing better comes soon."""
    NOTHING = "nothing"
    """No reply to the question, so that the true one is waited for."""


Judge = Callable[[bytes], Worth]


def _believe(_reply: bytes) -> Worth:
    return Worth.ANSWER


@dataclass
class _Flight:
    """Which messages are yet to be sent, and which are on their way: since when, and for the first time or not."""

    unsent: list[int]
    sent_at: dict[int, float] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    doubtful: dict[int, tuple[float, bytes]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return not self.unsent and not self.sent_at

    def due(self, now: float, repeatable: bool) -> list[int]:
        """Give what is to be sent again."""
        due = [number for number, sent in self.sent_at.items() if repeatable and now - sent > _RESEND_AFTER]
        self.fresh.difference_update(due)
        return due[:_WINDOW]

    def starting(self) -> list[int]:
        """Give what is to be sent for the first time; one that has to be repeated makes way for others."""
        starting = self.unsent[: max(0, _WINDOW - len(self.fresh))]
        del self.unsent[: len(starting)]
        self.fresh.update(starting)
        return starting

    def landed(self, number: int) -> None:
        """Take note of a reply that is believed."""
        self.doubtful.pop(number, None)
        del self.sent_at[number]
        self.fresh.discard(number)

    def believed(self, now: float, patience: float) -> list[bytes]:
        """Give the replies of little worth after which nothing better came."""
        old = [(number, reply) for number, (came, reply) in self.doubtful.items() if now - came >= patience]
        for number, _reply in old:
            self.landed(number)
        return [reply for _number, reply in old]


@dataclass
class UdpTransport:
    """Datagrams to one server; a reply that does not come is asked for again where that is harmless."""

    server: str
    port: int
    timeout: float
    _socket: socket.socket | None = None
    _untried: list[Any] = field(default_factory=list)

    def replies(self, wires: Mapping[int, bytes], repeatable: bool, judge: Judge = _believe) -> Iterator[bytes]:
        """Send messages, given by their ids, and give the reply to each as it comes, in any order.

        ``judge`` tells what a datagram with the id of an open message is worth; the system lets none through that
        comes from another address or port. Where nobody listens at the first address of the server, the others are
        tried. Some messages are started at once; one that has to be repeated makes way for others, so that what the
        server leaves out does not keep the rest from being asked. Raises TransportError after ``timeout`` seconds
        without any reply.
        """
        connected = self._socket or self._opened()
        flight = _Flight(list(wires))
        is_there = False
        strays = 0
        silent_since = time.monotonic()
        while not flight.is_over:
            now = time.monotonic()
            if now - silent_since > self.timeout:
                raise silence(self.timeout, strays)
            due, starting = flight.due(now, repeatable), flight.starting()
            try:
                for number in due + starting:
                    _send(connected, wires[number])
                    flight.sent_at[number] = now
                if starting and is_there:
                    silent_since = now
                received = _receive(connected, min(_SECOND_LOOK if flight.doubtful else _RESEND_AFTER, self.timeout))
            except TransportError:
                if not self._untried:
                    raise
                # What was sent to where nobody listens has not arrived, so all of it goes to the next address.
                connected = self._opened()
                flight = _Flight(list(wires))
                continue
            believed = flight.believed(time.monotonic(), min(_SECOND_THOUGHTS, self.timeout / 2))
            number = -1 if received is None else int.from_bytes(received[:2], "big")
            worth = Worth.NOTHING if received is None or number not in flight.sent_at else judge(received)
            if received is not None and worth is Worth.ANSWER:
                flight.landed(number)
                believed.append(received)
            elif received is not None and worth is Worth.PERHAPS:
                flight.doubtful.setdefault(number, (time.monotonic(), received))
            strays += received is not None and number not in wires
            if believed:
                is_there = True
                self._untried = []
                silent_since = time.monotonic()
                yield from believed

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _opened(self) -> socket.socket:
        """Give a socket to the first address of the server that can be reached and was not tried yet."""
        self.close()
        if not self._untried:
            try:
                self._untried = socket.getaddrinfo(self.server, self.port, type=socket.SOCK_DGRAM)
            except socket.gaierror as error:
                raise TransportError(f"its name cannot be resolved ({error.strerror})") from error
        while True:
            family, kind, _protocol, _name, address = self._untried.pop(0)
            try:
                opened = socket.socket(family, kind)
                opened.connect(address)
            except OSError as error:
                if not self._untried:
                    raise TransportError(f"it cannot be reached ({error.strerror or error})") from error
            else:
                self._socket = opened
                return opened


def _send(connected: socket.socket, datagram: bytes) -> None:
    try:
        connected.send(datagram)
    except ConnectionRefusedError as error:
        # What the system heard of an earlier datagram.
        raise TransportError(f"it does not listen there ({error.strerror})") from error
    except OSError as error:
        raise TransportError(f"nothing can be sent to it ({error.strerror or error})") from error


def _receive(connected: socket.socket, patience: float) -> bytes | None:
    connected.settimeout(patience)
    try:
        return connected.recv(_LARGEST)
    except socket.timeout:
        return None
    except OSError as error:
        raise TransportError(f"it does not listen there ({error.strerror or error})") from error
