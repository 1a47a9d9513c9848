# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A small DNS server for tests that holds MX sets of example.com, signs its replies, and spoils those it is told to.

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
from authoritative_server import ADDRESS, SECRETS, WRITER, free_port
from update_relay import HangUp, is_update

ZONE = "example.com."
SOA = f"ns1.{ZONE} hostmaster.{ZONE} 1 3600 600 86400 300"
TTL = 300
Sets = dict[str, set[str]]
# Given a good reply that is not on the wire yet, what is sent: None for nothing; HangUp closes the connection.
Spoil = Callable[[dns.message.Message], "bytes | None"]


class Unframed(bytes):
    """Octets that go out over TCP as they are, without a length before them."""


@dataclass
class WireServer:
    """What the server holds and what was done to it; ``spoils`` tells which requests get a spoilt reply."""

    port: int
    algorithm: dns.name.Name
    sets: Sets = field(default_factory=dict)
    writes: int = 0
    spoils: Callable[[dns.message.Message, str], bool] = lambda request, protocol: False
    spoil: Spoil = lambda reply: reply.to_wire()
    writes_what_it_spoils: bool = True
    # Given a datagram, what somebody else sends in front of the reply to it, as if it came from here.
    forgeries: Callable[[bytes], Sequence[bytes]] = lambda request: ()

    def key(self) -> dns.tsig.Key:
        """Give the key that the server knows."""
        return dns.tsig.Key(dns.name.from_text(WRITER), SECRETS[WRITER], self.algorithm)

    def reply_to(self, wire: bytes, protocol: str) -> bytes | None:
        """Give the octets that answer a request."""
        request = dns.message.from_wire(wire, keyring=self.key())
        is_spoilt = self.spoils(request, protocol)
        reply = dns.message.make_response(request)
        if is_update(wire):
            if self.writes_what_it_spoils or not is_spoilt:
                self._write(request)
        else:
            self._answer(request.question[0], reply)
        return self.spoil(reply) if is_spoilt else reply.to_wire()

    def _answer(self, question: dns.rrset.RRset, reply: dns.message.Message) -> None:
        reply.flags |= dns.flags.AA
        owner, rdtype = question.name, question.rdtype
        values: list[str] = []
        if rdtype == dns.rdatatype.MX:
            values = sorted(self.sets.get(owner.to_text(), ()))
        elif rdtype == dns.rdatatype.A and owner.to_text().startswith("mx"):
            values = [ADDRESS]
        if values:
            reply.answer.append(dns.rrset.from_text_list(owner, TTL, "IN", dns.rdatatype.to_text(rdtype), values))
        reply.authority.append(dns.rrset.from_text(ZONE, TTL, "IN", "SOA", SOA))

    def _write(self, request: Any) -> None:
        before = {name: set(values) for name, values in self.sets.items()}
        for rrset in request.update:
            held = self.sets.setdefault(rrset.name.to_text(), set())
            values = {rdata.to_text() for rdata in rrset}
            if rrset.deleting == dns.rdataclass.ANY:
                held.clear()
            elif rrset.deleting == dns.rdataclass.NONE:
                held -= values
            else:
                held |= values
        self.writes += before != self.sets


@contextlib.contextmanager
def started_wire_server(
    sets: Sets, algorithm: dns.name.Name = dns.tsig.HMAC_SHA256, has_tcp: bool = True
) -> Iterator[WireServer]:
    """Answer over UDP and TCP on one port of the loopback address until the block ends."""
    server = WireServer(free_port(), algorithm, {name: set(values) for name, values in sets.items()})
    with (
        socket.create_server((ADDRESS, server.port if has_tcp else 0)) as listener,
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
    ):
        datagrams.bind((ADDRESS, server.port))
        ending = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, listener, datagrams, ending), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ending.set()
            thread.join(10)


def _serve(server: WireServer, listener: socket.socket, datagrams: socket.socket, ending: threading.Event) -> None:
    streams: dict[socket.socket, bytearray] = {}
    while not ending.is_set():
        for ready in select.select([listener, datagrams, *streams], [], [], 0.02)[0]:
            if ready is listener:
                streams[listener.accept()[0]] = bytearray()
            elif ready is datagrams:
                request, client = datagrams.recvfrom(65536)
                for forged in server.forgeries(request):
                    datagrams.sendto(forged, client)
                reply = server.reply_to(request, "udp")
                if reply is not None:
                    datagrams.sendto(reply, client)
            else:
                try:
                    _serve_stream(server, ready, streams[ready])
                except (HangUp, OSError):
                    ready.close()
                    del streams[ready]
    for stream in streams:
        stream.close()


def _serve_stream(server: WireServer, stream: socket.socket, received: bytearray) -> None:
    chunk = stream.recv(65536)
    if not chunk:
        raise HangUp
    received += chunk
    while len(received) >= 2 and len(received) - 2 >= (size := int.from_bytes(received[:2], "big")):
        request = bytes(received[2 : 2 + size])
        del received[: 2 + size]
        reply = server.reply_to(request, "tcp")
        if reply is not None:
            stream.sendall(reply if isinstance(reply, Unframed) else len(reply).to_bytes(2, "big") + reply)
