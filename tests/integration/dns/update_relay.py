# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A relay in front of a real DNS server: it counts, and it does what a server or a network may do wrong.

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import dns.message
import dns.name
import dns.opcode
import dns.tsig
from named_server import SECRETS, WRITER, Named

Wire = bytes
# Given a request, a replacement for the reply, or None to ask the real server.
Answer = Callable[[Wire], "Wire | None"]


class HangUp(Exception):
    """Raised by an answer to close the connection in place of a reply."""


@dataclass
class Relay:
    """What went through, and what to do on the way; set the two functions to interfere."""

    port: int = 0
    connections: int = 0
    queries: int = 0
    updates: list[Wire] = field(default_factory=list)
    before_update: Callable[[int], None] = lambda number: None
    answer: Answer = lambda request: None
    forwarded: Callable[[Wire], Wire] = lambda request: request


def is_update(wire: Wire) -> bool:
    """Tell whether a message is an update (RFC 2136 section 2.2)."""
    return (wire[2] >> 3) & 0xF == dns.opcode.UPDATE


def key(name: str = WRITER) -> dns.tsig.Key:
    """Give a key of the test server as dnspython's value."""
    return dns.tsig.Key(dns.name.from_text(name), SECRETS[name], dns.tsig.HMAC_SHA256)


def signed_answer(request: Wire, rcode: int) -> Wire:
    """Give an answer to a signed request with an rcode and the right signature."""
    asked = dns.message.from_wire(request, keyring=key())
    reply = dns.message.make_response(asked)
    reply.set_rcode(rcode)
    return reply.to_wire()


def without_signature(request: Wire) -> Wire:
    """Give a request without its TSIG record."""
    message = dns.message.from_wire(request, keyring=key())
    message.tsig = None
    return message.to_wire()


def unsigned_answer(request: Wire, rcode: int) -> Wire:
    """Give an answer to a signed request as somebody would who does not have the key."""
    reply = dns.message.make_response(dns.message.from_wire(without_signature(request)))
    reply.set_rcode(rcode)
    return reply.to_wire()


@contextlib.contextmanager
def relay_to(
    named: Named, close_after: int | None = None, address: str = "127.0.0.1", port: int = 0
) -> Iterator[Relay]:
    """Listen (on a free port) and pass whole messages on to the server; ``close_after`` replies the connection ends."""
    relay = Relay()
    with socket.create_server((address, port)) as listener:
        relay.port = listener.getsockname()[1]
        ending = threading.Event()
        thread = threading.Thread(target=_accept, args=(listener, relay, named, close_after, ending), daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            ending.set()
            thread.join(10)


def _accept(
    listener: socket.socket, relay: Relay, named: Named, close_after: int | None, ending: threading.Event
) -> None:
    while not ending.is_set():
        if not select.select([listener], [], [], 0.05)[0]:
            continue
        client, _address = listener.accept()
        relay.connections += 1
        with (
            contextlib.suppress(HangUp, OSError),
            client,
            socket.create_connection((named.address, named.port), 10) as server,
        ):
            _serve(client, server, relay, close_after, ending)


def _serve(
    client: socket.socket, server: socket.socket, relay: Relay, close_after: int | None, ending: threading.Event
) -> None:
    replies = 0
    while not ending.is_set() and (close_after is None or replies < close_after):
        if not select.select([client], [], [], 0.05)[0]:
            continue
        request = _read(client)
        if is_update(request):
            relay.updates.append(request)
            relay.before_update(len(relay.updates))
        else:
            relay.queries += 1
        reply = relay.answer(request)
        if reply is None:
            _write(server, relay.forwarded(request))
            reply = _read(server)
        if reply:
            _write(client, reply)
        replies += 1


def _read(stream: socket.socket) -> Wire:
    return _exactly(stream, int.from_bytes(_exactly(stream, 2), "big"))


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = stream.recv(size - len(data))
        if not chunk:
            raise HangUp
        data += chunk
    return data


def _write(stream: socket.socket, wire: Wire) -> None:
    stream.sendall(len(wire).to_bytes(2, "big") + wire)
