# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What this server's resolvers prove of a place where mail is taken: its address, and its TLSA records. Private.
#
# Without dnspython, which mail servers seldom have: of the replies no more is read than flags and TLSA records.

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.certificates import read_tlsa, usable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.own_resolvers import resolvers_of_this_host
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_dane import (
    NO_RECORDS,
    NOT_TOLD,
    NOT_VALIDATED,
    PROVEN,
    UNSIGNED,
    UNUSABLE,
    Proof,
    tlsa_name,
)

PORT = 53
_SECONDS = 3.0
_TRIES = 2
# Without EDNS and so without signatures, which need not be read: the resolver verifies them (RFC 6840 section 5.7).
_LONGEST_REPLY = 512
_HEADER, _QUESTION, _RECORD = struct.Struct("!HHHHHH"), struct.Struct("!HH"), struct.Struct("!HHIH")
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED, _AUTHENTIC, _RCODE = 0x8000, 0x0200, 0x0100, 0x0020, 0x000F
_POINTER = 0xC0
_IN, _A, _NS, _TLSA = 1, 1, 2, 52
_LENGTH = struct.Struct("!H")
_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_ANSWERED = ("NOERROR", "NXDOMAIN")
_SILENCE = "no answer"


@dataclass(frozen=True)
class _Reply:
    """What is read of a reply: whether its content is proven, and the data of the records of the wanted type."""

    rcode: str
    is_authentic: bool = False
    data: tuple[bytes, ...] = ()
    is_cut: bool = False


def ask_for_proof(host: str, port: int) -> Proof:
    """Give what is proven of a host name and a port, as Postfix will find it (smtp(8), tls_dane).

    Records count where the address of the host is proven, too. Of an alias the name that it stands for is asked first.
    """
    resolvers = resolvers_of_this_host()
    asked = ", ".join(resolvers)
    address = _ask(resolvers, host, _A)
    if address.rcode not in _ANSWERED:
        return Proof(NOT_TOLD, asked, address.rcode)
    if not address.is_authentic:
        # As Postfix itself finds out (postconf(5), dnssec_probe): the root is signed, whatever else is not.
        return Proof(UNSIGNED if _ask(resolvers, ".", _NS).is_authentic else NOT_VALIDATED, asked)
    for name in dict.fromkeys((_full_name(host), host)):
        records = _ask(resolvers, tlsa_name(name, port), _TLSA)
        if records.rcode not in _ANSWERED:
            return Proof(NOT_TOLD, asked, records.rcode)
        if records.is_authentic and records.data:
            found = usable(record for record in map(read_tlsa, records.data) if record is not None)
            names = tuple(dict.fromkeys((name, host)))
            return Proof(PROVEN, asked, records=found, names=names) if found else Proof(UNUSABLE, asked)
    return Proof(NO_RECORDS, asked)


def _full_name(host: str) -> str:
    """Give the name that an alias stands for, or the name itself."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except OSError:
        return host
    return found[0][3].rstrip(".").lower() or host


def _ask(resolvers: Sequence[str], name: str, rdtype: int) -> _Reply:
    """Put a question to one resolver after the other, until one answers it."""
    reply = _Reply(_SILENCE)
    for resolver in resolvers:
        found = _ask_one(resolver, name, rdtype)
        if found.rcode in _ANSWERED:
            return found
        reply = reply if found.rcode == _SILENCE else found
    return reply


def _ask_one(resolver: str, name: str, rdtype: int) -> _Reply:
    labels = [label.encode("ascii", "replace") for label in name.split(".") if label]
    asked = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + _QUESTION.pack(rdtype, _IN)
    for _each in range(_TRIES):
        number = secrets.randbelow(1 << 16)
        header = _HEADER.pack(number, _RECURSION_DESIRED | _AUTHENTIC, 1, 0, 0, 0)
        try:
            family, kind, protocol, _name, place = socket.getaddrinfo(resolver, PORT, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(_SECONDS)
                connection.connect(place)
                connection.send(header + asked)
                reply = _read(connection.recv(_LONGEST_REPLY), number, rdtype)
            return _read(_ask_over_tcp(place, header + asked), number, rdtype) if reply.is_cut else reply
        except (OSError, struct.error, IndexError):
            continue
    return _Reply(_SILENCE)


def _ask_over_tcp(place: Any, question: bytes) -> bytes:
    """Put a question whose answer is longer than a datagram (RFC 7766 section 8); raises OSError, struct.error."""
    with socket.create_connection(place[:2], timeout=_SECONDS) as connection, connection.makefile("rb") as incoming:
        connection.sendall(_LENGTH.pack(len(question)) + question)
        (length,) = _LENGTH.unpack(incoming.read(_LENGTH.size))
        return incoming.read(length)


def _read(message: bytes, number: int, rdtype: int) -> _Reply:
    """Read a reply; raises struct.error or IndexError for what is none to this question."""
    given, flags, questions, answers, _authorities, _additionals = _HEADER.unpack_from(message)
    if given != number or not flags & _RESPONSE:
        raise IndexError
    rcode = _RCODES.get(flags & _RCODE, str(flags & _RCODE))
    if flags & _TRUNCATED:
        return _Reply(rcode, is_cut=True)
    at = _HEADER.size
    for _each in range(questions):
        at = _after_name(message, at) + _QUESTION.size
    data = []
    for _each in range(answers):
        at = _after_name(message, at)
        found, _class, _ttl, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        if found == rdtype:
            data.append(message[at : at + length])
        at += length
    return _Reply(rcode, bool(flags & _AUTHENTIC), tuple(data))


def _after_name(message: bytes, at: int) -> int:
    """Give where a name ends (RFC 1035 section 4.1.4)."""
    while message[at]:
        if message[at] & _POINTER == _POINTER:
            return at + 2
        at += 1 + message[at]
    return at + 1
