# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What this server's resolvers prove of a place where mail is taken: its address, and its TLSA records. Private.
#
# Without dnspython, which mail servers seldom have: of the replies hardly more is read than flags.

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

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
# RFC 7672 section 3.1: DANE-TA and DANE-EE.
_USAGES = (2, 3)
_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_ANSWERED = ("NOERROR", "NXDOMAIN")
_SILENCE = "no answer"


@dataclass(frozen=True)
class _Reply:
    """What is read of a reply: whether its content is proven, and what the records of the wanted type begin with."""

    rcode: str
    is_authentic: bool = False
    beginnings: tuple[int, ...] = ()


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
        if records.is_authentic and records.beginnings:
            is_usable = any(usage in _USAGES for usage in records.beginnings)
            return Proof(PROVEN if is_usable else UNUSABLE, asked)
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
                return _read(connection.recv(_LONGEST_REPLY), number, rdtype)
        except (OSError, struct.error, IndexError):
            continue
    return _Reply(_SILENCE)


def _read(message: bytes, number: int, rdtype: int) -> _Reply:
    """Read a reply; raises struct.error or IndexError for what is none to this question."""
    given, flags, questions, answers, _authorities, _additionals = _HEADER.unpack_from(message)
    if given != number or not flags & _RESPONSE:
        raise IndexError
    rcode = _RCODES.get(flags & _RCODE, str(flags & _RCODE))
    if flags & _TRUNCATED:
        # Only records that are there need so much room; what they say is left to Postfix.
        return _Reply(rcode, bool(flags & _AUTHENTIC), _USAGES)
    at = _HEADER.size
    for _each in range(questions):
        at = _after_name(message, at) + _QUESTION.size
    beginnings = []
    for _each in range(answers):
        at = _after_name(message, at)
        found, _class, _ttl, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        if found == rdtype:
            beginnings.append(message[at])
        at += length
    return _Reply(rcode, bool(flags & _AUTHENTIC), tuple(beginnings))


def _after_name(message: bytes, at: int) -> int:
    """Give where a name ends (RFC 1035 section 4.1.4)."""
    while message[at]:
        if message[at] & _POINTER == _POINTER:
            return at + 2
        at += 1 + message[at]
    return at + 1
