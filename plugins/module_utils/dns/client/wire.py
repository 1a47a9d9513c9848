# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Requests and replies as octets: only what MX sets need, so that thousands take no time. Private to this collection.

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import dns

# What passes every path without fragments (DNS flag day 2020); a larger request goes over TCP.
UDP_SIZE = 1232
# RFC 1035 section 4.2.2: the length of a message over TCP is told in 16 bits.
TCP_SIZE = 65535
# RFC 1035 section 4.1: the header; the type, class, TTL and length of a record; a compressed name's mark.
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_QUESTION = struct.Struct("!HH")
_SOA_NUMBERS = struct.Struct("!IIIII")
_POINTER = 0xC0
_LONGEST_LABEL = 63
# The pointer to the name of the question, which always follows the header.
_SAME_NAME = b"\xc0\x0c"
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _OPCODE, _RCODE = 0x8000, 0x0400, 0x0200, 0x7800, 0x000F
_RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x0100, 0x0080
_IN, _ANY, _OPT, _TSIG = 1, 255, 41, 250
_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "AAAA": 28}
_TYPE_NAMES = {number: name for name, number in _TYPES.items()}
# RFC 8945 section 10: so many seconds may the clocks differ.
_FUDGE = 300


class Unreadable(Exception):
    """A reply is no DNS message."""


class NotSigned(Exception):
    """A reply to a signed request has no signature."""


class NotAnAnswer(Exception):
    """A reply answers something else than was asked."""


@dataclass(frozen=True)
class Request:
    """A message to send: its id, its octets, the MAC that a reply's signature includes, and what it is about."""

    number: int
    wire: bytes
    mac: bytes
    about: str
    question: tuple[str, str] | None = None
    zone: str | None = None
    """The zone that an update is for; its reply repeats it, or leaves it out (RFC 2136 section 3.8)."""


@dataclass(frozen=True)
class DnsRecord:
    """A record of a reply: names in lower case without a trailing dot; ``value`` is the name or address it holds.

    An MX record has a ``preference``, an SOA record a ``serial``.
    """

    name: str
    rdtype: str
    ttl: int
    value: str = ""
    preference: int = 0
    serial: int = 0


@dataclass(frozen=True)
class DnsReply:
    """A verified reply; ``answer`` and ``authority`` hold its records of the types that are read here.

    ``glue`` has the addresses that a referral gives along with the servers that it names.
    """

    rcode: str
    is_authoritative: bool
    is_truncated: bool
    answer: tuple[DnsRecord, ...]
    authority: tuple[DnsRecord, ...]
    offers_recursion: bool = False
    glue: tuple[DnsRecord, ...] = ()
    repeats_question: bool = True
    """Whether it says what it answers; errors need not, and anybody can make one who knows or guesses an id."""
    is_signed: bool = False


def question(number: int, name: str, rdtype: str, key: dns.tsig.Key | None, edns: bool) -> Request:
    """Give a question, not recursive, signed where there is a key (RFC 8945 section 5.1); ``edns`` as for datagrams."""
    asked = _name_octets(dns.name.from_text(name)) + _QUESTION.pack(_TYPES[rdtype], _IN)
    additional = b"\0" + _RECORD.pack(_OPT, UDP_SIZE, 0, 0) if edns else b""
    wire = _HEADER.pack(number, 0, 1, 0, 0, int(edns)) + asked + additional
    if key is None:
        return Request(number, wire, b"", name, (name, rdtype))
    # dnspython's own types end here.
    template = dns.rdtypes.ANY.TSIG.TSIG(  # type: ignore[no-untyped-call]
        dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, 0, _FUDGE, b"", number, 0, b""
    )
    signature = dns.tsig.sign(wire, key, template, int(time.time()), b"")[0]  # type: ignore[no-untyped-call]
    data = signature.to_wire()
    record = _name_octets(key.name) + _RECORD.pack(_TSIG, _ANY, 0, len(data)) + data
    signed = _HEADER.pack(number, 0, 1, 0, 0, int(edns) + 1) + asked + additional + record
    return Request(number, signed, signature.mac, name, (name, rdtype))


def recursive(request: Request) -> Request:
    """Give an unsigned question as a recursive one (RFC 1035 section 4.1.1)."""
    flags = _HEADER.unpack_from(request.wire)[1] | _RECURSION_DESIRED
    return replace(request, wire=request.wire[:2] + flags.to_bytes(2, "big") + request.wire[4:])


def update(number: int, message: dns.update.UpdateMessage, key: dns.tsig.Key | None) -> Request:
    """Give an update as dnspython writes it, signed where there is a key. Raises dns.exception.TooBig."""
    message.id = number
    if key is not None:
        message.use_tsig(key, fudge=_FUDGE)
    wire = message.to_wire(max_size=TCP_SIZE)
    zone = canonical_text(message.zone[0].name)
    return Request(number, wire, message.mac or b"", zone, zone=zone)


def rcode_of(wire: bytes) -> str:
    """Give the rcode of a reply of which nothing else is believed."""
    return str(dns.rcode.to_text(dns.rcode.Rcode(wire[3] & _RCODE))) if len(wire) >= _HEADER.size else "nothing"


def empty_reply(wire: bytes) -> DnsReply:
    """Give a reply of which only the rcode is taken."""
    return DnsReply(rcode_of(wire), False, False, (), (), repeats_question=False)


def read_reply(wire: bytes, request: Request, key: dns.tsig.Key | None) -> DnsReply:
    """Give a reply, after it was verified that it is signed as the request was and answers the request.

    Raises Unreadable, NotSigned, NotAnAnswer, and the exceptions of dns.tsig for a signature that is not valid.
    """
    try:
        return _Reader(wire, request).read(key)
    except (IndexError, ValueError, struct.error, dns.exception.FormError, dns.name.BadPointer) as error:
        raise Unreadable(str(error) or type(error).__name__) from error


def _name_octets(name: dns.name.Name) -> bytes:
    return name.to_wire() or b""


def canonical_text(name: dns.name.Name) -> str:
    """Give a name in lower case without a trailing dot; the root stays a dot."""
    return name.to_text(omit_final_dot=True).lower()


class _Reader:
    """One pass over the octets of one reply."""

    def __init__(self, wire: bytes, request: Request) -> None:
        self._wire = wire
        self._request = request
        self._at = _HEADER.size
        self._extended_rcode = 0
        self._is_signed = False

    def read(self, key: dns.tsig.Key | None) -> DnsReply:
        number, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(self._wire)
        asked = [self._question() for _each in range(questions)]
        answer = self._records(answers)
        authority = self._records(authorities)
        glue = self._additional(additionals, key, is_referral=not answer and bool(authority))
        if self._at != len(self._wire):
            raise Unreadable("octets follow its end")
        if key is not None and not self._is_signed:
            raise NotSigned
        self._check_answers(number, flags, asked)
        rcode = dns.rcode.Rcode(flags & _RCODE | self._extended_rcode)
        return DnsReply(
            str(dns.rcode.to_text(rcode)),
            bool(flags & _AUTHORITATIVE),
            bool(flags & _TRUNCATED),
            answer,
            authority,
            bool(flags & _RECURSION_AVAILABLE),
            glue,
            bool(asked),
            self._is_signed,
        )

    def _check_answers(self, number: int, flags: int, asked: list[tuple[str, str]]) -> None:
        request = self._request
        request_flags = _HEADER.unpack_from(request.wire)[1]
        if number != request.number or not flags & _RESPONSE or (flags ^ request_flags) & _OPCODE:
            raise NotAnAnswer
        # An error may come without the question (RFC 1035 section 4.1.1 leaves it open), success may not.
        if request.question is not None and asked != [request.question] and (asked or not flags & _RCODE):
            raise NotAnAnswer
        if request.zone is not None and asked and asked != [(request.zone, "SOA")]:
            raise NotAnAnswer

    def _question(self) -> tuple[str, str]:
        name = self._name()
        rdtype, rdclass = _QUESTION.unpack_from(self._wire, self._at)
        self._at += _QUESTION.size
        return name, _TYPE_NAMES.get(rdtype, str(rdtype)) if rdclass == _IN else ""

    def _records(self, count: int) -> tuple[DnsRecord, ...]:
        records = []
        for _each in range(count):
            owner_at = self._at
            self._skip_name()
            rdtype, rdclass, ttl, size = self._record_header()
            end = self._at + size
            if rdclass == _IN and rdtype in _TYPE_NAMES:
                records.append(self._record(owner_at, _TYPE_NAMES[rdtype], ttl, self._at, end))
            self._at = end
        return tuple(records)

    def _record(self, owner_at: int, rdtype: str, ttl: int, at: int, end: int) -> DnsRecord:
        name = self._name_at(owner_at)
        data = self._wire[at:end]
        if rdtype == "MX":
            return DnsRecord(name, rdtype, ttl, self._name_at(at + 2), int.from_bytes(data[:2], "big"))
        if rdtype in ("CNAME", "NS"):
            return DnsRecord(name, rdtype, ttl, self._name_at(at))
        if rdtype in ("A", "AAAA"):
            return DnsRecord(
                name, rdtype, ttl, socket.inet_ntop(socket.AF_INET if rdtype == "A" else socket.AF_INET6, data)
            )
        # The serial is the first of the five numbers that end an SOA record (RFC 1035 section 3.3.13).
        return DnsRecord(name, rdtype, ttl, serial=_SOA_NUMBERS.unpack_from(self._wire, end - _SOA_NUMBERS.size)[0])

    def _additional(self, count: int, key: dns.tsig.Key | None, is_referral: bool) -> tuple[DnsRecord, ...]:
        glue = []
        for left in range(count - 1, -1, -1):
            start = self._at
            self._skip_name()
            rdtype, rdclass, ttl, size = self._record_header()
            if rdtype == _OPT:
                self._extended_rcode = ttl >> 24 << 4
            elif rdtype == _TSIG:
                if left or key is None:
                    raise Unreadable("a signature stands where none belongs")
                self._verify(key, start, size)
            elif is_referral and rdclass == _IN and _TYPE_NAMES.get(rdtype) in ("A", "AAAA"):
                glue.append(self._record(start, _TYPE_NAMES[rdtype], ttl, self._at, self._at + size))
            self._at += size
        return tuple(glue)

    def _verify(self, key: dns.tsig.Key, start: int, size: int) -> None:
        owner = dns.name.from_wire(self._wire, start)[0]
        rdata = dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, self._wire, self._at, size)
        now = int(time.time())
        dns.tsig.validate(self._wire, key, owner, rdata, now, self._request.mac, start)  # type: ignore[no-untyped-call]
        self._is_signed = True

    def _record_header(self) -> tuple[int, int, int, int]:
        rdtype, rdclass, ttl, size = _RECORD.unpack_from(self._wire, self._at)
        self._at += _RECORD.size
        if self._at + size > len(self._wire):
            raise Unreadable("it is cut short")
        return rdtype, rdclass, ttl, size

    def _name(self) -> str:
        at = self._at
        self._skip_name()
        return self._name_at(at)

    def _name_at(self, at: int) -> str:
        asked = self._request.question
        # Most owners are the name that was asked for, once the question is known to be the same.
        if asked is not None and self._wire[at : at + 2] == _SAME_NAME and self._question_is_ours():
            return asked[0]
        return canonical_text(dns.name.from_wire(self._wire, at)[0])

    def _question_is_ours(self) -> bool:
        sent = self._request.wire
        end = _HEADER.size + 1 + len(self._request.about) + 1
        return self._wire[_HEADER.size : end] == sent[_HEADER.size : end]

    def _skip_name(self) -> None:
        while True:
            length = self._wire[self._at]
            if length >= _POINTER:
                self._at += 2
                return
            if length > _LONGEST_LABEL:
                raise Unreadable("a label is too long")
            self._at += 1 + length
            if not length:
                return
