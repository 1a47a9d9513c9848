# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Questions to many servers at once: each that answers, answers; silence is told for each question. Private.

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Union

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import wire as octets
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.datagrams import UdpTransport, Worth
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import dns
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import (
    TcpTransport,
    TransportError,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.wire import DnsReply, Request

# Far below the 65,536 ids there are, so that an id says little to somebody who guesses.
_BATCH = 10_000
_IDS = 65_536
# So many servers are asked at the same time, so that silent ones cost their timeout once.
_SERVERS_AT_ONCE = 128


@dataclass(frozen=True)
class Query:
    """A question to one server, given by its address: a canonical name and a type."""

    server: str
    name: str
    rdtype: str


@dataclass(frozen=True)
class NoReply:
    """What is known when nothing usable came back: a clause such as ``it did not answer within 5 s``.

    ``was_asked`` is False where this host has no way to the server, as to an IPv6 address without IPv6.
    """

    reason: str
    was_asked: bool = True


DnsAnswer = Union[DnsReply, NoReply]


@dataclass(frozen=True)
class FanOut:
    """How servers are asked: their port, the longest silence of one in seconds, and whether they are to ask others."""

    port: int
    timeout: float
    recursive: bool = False

    def ask(self, queries: Iterable[Query]) -> dict[Query, DnsAnswer]:
        """Put questions to any number of servers at the same time, unsigned, and give what came back of each.

        They go as datagrams and are sent again while they stay unanswered; what is truncated is asked for again over
        TCP (RFC 7766). A server that is silent for the whole timeout is given up.
        """
        by_server: dict[str, dict[Query, None]] = {}
        for query in queries:
            by_server.setdefault(query.server, {})[query] = None
        answers: dict[Query, DnsAnswer] = {}
        if by_server:
            with ThreadPoolExecutor(min(len(by_server), _SERVERS_AT_ONCE)) as pool:
                for answered in pool.map(self._ask_one, by_server, map(list, by_server.values())):
                    answers.update(answered)
        return answers

    def _ask_one(self, server: str, queries: Sequence[Query]) -> dict[Query, DnsAnswer]:
        answers: dict[Query, DnsAnswer] = {}
        udp = UdpTransport(server, self.port, self.timeout)
        tcp = TcpTransport(server, self.port, self.timeout)
        try:
            for start in range(0, len(queries), _BATCH):
                batch = queries[start : start + _BATCH]
                requests = self._requests(batch)
                found = _exchange(udp, requests)
                truncated = {
                    number: requests[number]
                    for number, answer in found.items()
                    if isinstance(answer, DnsReply) and answer.is_truncated
                }
                if truncated:
                    found.update(_exchange(tcp, truncated))
                answers.update(zip(batch, found.values()))
        finally:
            udp.close()
            tcp.close()
        return answers

    def _requests(self, queries: Sequence[Query]) -> dict[int, Request]:
        """Give the questions by their ids, in order; nobody can guess the ids."""
        requests = {}
        for number, query in zip(secrets.SystemRandom().sample(range(_IDS), len(queries)), queries):
            request = octets.question(number, query.name, query.rdtype, None, edns=True)
            requests[number] = octets.recursive(request) if self.recursive else request
        return requests


def _exchange(transport: UdpTransport | TcpTransport, requests: dict[int, Request]) -> dict[int, DnsAnswer]:
    found: dict[int, DnsAnswer] = {}
    useless: dict[int, NoReply] = {}

    def judge(wire: bytes) -> Worth:
        """Read a datagram; what is no reply to the question is passed over (RFC 5452 section 9.1)."""
        number = int.from_bytes(wire[:2], "big")
        answer = _read(wire, requests[number])
        if isinstance(answer, NoReply):
            useless[number] = answer
            return Worth.NOTHING
        if answer.repeats_question or number not in found:
            found[number] = answer
        return Worth.ANSWER if answer.repeats_question else Worth.PERHAPS

    silence = NoReply("it did not answer")
    wires = {number: request.wire for number, request in requests.items()}
    try:
        if isinstance(transport, UdpTransport):
            for _wire in transport.replies(wires, True, judge):
                pass
        else:
            for wire in transport.replies(wires, True):
                number = int.from_bytes(wire[:2], "big")
                found[number] = _read(wire, requests[number])
    except TransportError as error:
        silence = NoReply(str(error), not error.is_for_want_of_a_way)
    return {number: found.get(number, useless.get(number, silence)) for number in requests}


def _read(wire: bytes, request: Request) -> DnsAnswer:
    try:
        return octets.read_reply(wire, request, None)
    except octets.NotAnAnswer:
        return NoReply("its reply answers another question")
    except (octets.Unreadable, dns.exception.DNSException) as error:
        return NoReply(f"its reply cannot be read ({error})")
