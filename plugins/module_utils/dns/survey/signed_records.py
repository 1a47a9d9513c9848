# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What this server's resolvers prove of a place where mail is taken: its address, and its TLSA records. Private.
#
# Without dnspython, which mail servers seldom have: of the replies no more is read than flags and TLSA records.

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.own_resolvers import (
    resolvers_of_this_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import DNS_PORT
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import read_tlsa, usable
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import (
    NO_RECORDS,
    NOT_TOLD,
    NOT_VALIDATED,
    PROVEN,
    UNSIGNED,
    UNUSABLE,
    Proof,
    tlsa_name,
)

_SECONDS = 3.0
_TRIES = 2
# Without EDNS and so without signatures, which need not be read: the resolver verifies them (RFC 6840 section 5.7).
_LONGEST_REPLY = 512
_HEADER, _QUESTION, _RECORD = struct.Struct("!HHHHHH"), struct.Struct("!HH"), struct.Struct("!HHIH")
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED, _AUTHENTIC, _RCODE = 0x8000, 0x0200, 0x0100, 0x0020, 0x000F
_OPCODE = 0x7800
_POINTER = 0xC0
_LENGTH = struct.Struct("!H")
_IN, _A, _NS, _CNAME, _TLSA = 1, 1, 2, 5, 52
_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_ANSWERED = ("NOERROR", "NXDOMAIN")
_SILENCE = "no answer"
# RFC 1123 section 2.1, and the underscore that some hosts have.
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")


@dataclass(frozen=True)
class _Reply:
    """What is read of a reply: whether its content is proven, and the data of the records of the wanted type.

    ``remote`` is the resolver that gave it, where that is another host.
    """

    rcode: str
    is_authentic: bool = False
    data: tuple[bytes, ...] = ()
    is_truncated: bool = False
    remote: str = ""
    name: str = ""
    """The name at the end of the aliases that the reply holds; empty where it holds none."""


class _NoReply(Exception):
    """Some octets are no reply to the question; anybody can send such a datagram (RFC 5452 section 9.1)."""


def ask_for_proof(host: str, port: int, resolvers: Sequence[str] | None = None, resolver_port: int = DNS_PORT) -> Proof:
    """Give what is proven of a host name and a port, as Postfix will find it (smtp(8), tls_dane).

    Records count where the address of the host is proven, too. Of an alias the name that it stands for in the proven
    reply is asked first. Resolvers on other hosts are believed, as Postfix believes them, and named in the proof.
    Without ``resolvers`` those of this host are asked.
    """
    resolvers = resolvers_of_this_host() if resolvers is None else resolvers
    places = [(resolver, resolver_port) for resolver in resolvers]
    asked = ", ".join(resolvers)
    address = _ask(places, host, _A)
    if address.rcode not in _ANSWERED:
        return Proof(NOT_TOLD, asked, address.rcode)
    if not address.is_authentic:
        # As Postfix itself finds out (postconf(5), dnssec_probe): the root is signed, whatever else is not.
        return Proof(UNSIGNED if _ask(places, ".", _NS).is_authentic else NOT_VALIDATED, asked)
    for name in dict.fromkeys((address.name or host, host)):
        records = _ask(places, tlsa_name(name, port), _TLSA)
        if records.rcode not in _ANSWERED:
            return Proof(NOT_TOLD, asked, records.rcode)
        if records.is_authentic and records.data:
            found = usable(record for record in map(read_tlsa, records.data) if record is not None)
            names = tuple(dict.fromkeys((name, host)))
            remote = ", ".join(dict.fromkeys(one for one in (address.remote, records.remote) if one))
            return Proof(
                PROVEN if found else UNUSABLE, asked, records=found, names=names if found else (), remote=remote
            )
    return Proof(NO_RECORDS, asked)


def _ask(places: Sequence[tuple[str, int]], name: str, rdtype: int) -> _Reply:
    """Put a question to one resolver after the other, until one answers it."""
    reply = _Reply(_SILENCE)
    for place in places:
        found = _ask_one(place, name, rdtype)
        if found.rcode in _ANSWERED:
            return found if _is_loopback(place[0]) else replace(found, remote=place[0])
        reply = reply if found.rcode == _SILENCE else found
    return reply


def _is_loopback(resolver: str) -> bool:
    try:
        return ipaddress.ip_address(resolver).is_loopback
    except ValueError:
        return False


def _ask_one(resolver: tuple[str, int], name: str, rdtype: int) -> _Reply:
    labels = [label.encode("ascii", "replace") for label in name.split(".") if label]
    asked = b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + _QUESTION.pack(rdtype, _IN)
    for _each in range(_TRIES):
        message = _HEADER.pack(secrets.randbelow(1 << 16), _RECURSION_DESIRED | _AUTHENTIC, 1, 0, 0, 0) + asked
        try:
            family, kind, protocol, _name, place = socket.getaddrinfo(*resolver, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as connection:
                connection.connect(place)
                connection.send(message)
                reply = _true_reply(connection, message, rdtype)
            # A reply that has no room for all records is asked for again over TCP (RFC 7766).
            return _over_tcp(resolver, message, rdtype) if reply.is_truncated else reply
        except (OSError, _NoReply):
            continue
    return _Reply(_SILENCE)


def _true_reply(connection: socket.socket, message: bytes, rdtype: int) -> _Reply:
    """Wait for the reply to a question, past all datagrams that are none."""
    end = time.monotonic() + _SECONDS
    while (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        received = connection.recv(_LONGEST_REPLY)
        with suppress(_NoReply):
            return _read(received, message, rdtype)
    raise _NoReply


def _over_tcp(resolver: tuple[str, int], message: bytes, rdtype: int) -> _Reply:
    with socket.create_connection(resolver, _SECONDS) as connection, connection.makefile("rb") as stream:
        connection.sendall(_LENGTH.pack(len(message)) + message)
        size = stream.read(_LENGTH.size)
        if len(size) != _LENGTH.size:
            raise _NoReply
        return _read(stream.read(_LENGTH.unpack(size)[0]), message, rdtype)


def _read(reply: bytes, message: bytes, rdtype: int) -> _Reply:
    """Read the reply to a question, ``message``; raises _NoReply for what is none to just this question."""
    try:
        number, flags, questions, answers, _authorities, _additionals = _HEADER.unpack_from(reply)
        wanted = message[_HEADER.size :]
        # RFC 1035 section 4.1.1: the response bit, and the code of an ordinary question; RFC 5452 section 9.1: the same
        # question, in any case of letters.
        if (
            number != _HEADER.unpack_from(message)[0]
            or flags & (_RESPONSE | _OPCODE) != _RESPONSE
            or questions != 1
            or _folded(reply[_HEADER.size : _HEADER.size + len(wanted)]) != _folded(wanted)
        ):
            raise _NoReply
        rcode = _RCODES.get(flags & _RCODE, str(flags & _RCODE))
        is_authentic = bool(flags & _AUTHENTIC)
        if flags & _TRUNCATED:
            return _Reply(rcode, is_authentic, is_truncated=True)
        data, name = _data(reply, _HEADER.size + len(wanted), answers, rdtype)
        return _Reply(rcode, is_authentic, data, name=name)
    except (struct.error, IndexError) as error:
        raise _NoReply from error


def _data(reply: bytes, at: int, answers: int, rdtype: int) -> tuple[tuple[bytes, ...], str]:
    """Give the data of the records of a type that belong to the name in question, and the end of its aliases."""
    name = _name(reply, _HEADER.size)[0]
    aliases: dict[bytes, bytes] = {}
    found: list[tuple[bytes, bytes]] = []
    for _each in range(answers):
        owner, at = _name(reply, at)
        kind, rdclass, _ttl, length = _RECORD.unpack_from(reply, at)
        at += _RECORD.size
        if at + length > len(reply):
            raise IndexError
        if rdclass == _IN and kind == _CNAME:
            aliases[owner] = _name(reply, at)[0]
        elif rdclass == _IN and kind == rdtype:
            found.append((owner, reply[at : at + length]))
        at += length
    for _each in range(len(aliases)):
        name = aliases.get(name, name)
    return tuple(data for owner, data in found if owner == name), _host_of(name) if aliases else ""


def _host_of(name: bytes) -> str:
    """Give a name as text, where it can be that of a host; else nothing."""
    labels = []
    at = 0
    while at < len(name):
        labels.append(name[at + 1 : at + 1 + name[at]].decode("latin-1"))
        at += 1 + name[at]
    return ".".join(labels) if all(map(_LABEL.fullmatch, labels)) else ""


def _folded(octets: bytes) -> bytes:
    """Give a question in small letters, type and class included, whose octets are none."""
    name = octets[: len(octets) - _QUESTION.size]
    return name.lower() + octets[len(name) :]


def _name(message: bytes, at: int) -> tuple[bytes, int]:
    """Give a name in small letters, and where it ends (RFC 1035 section 4.1.4)."""
    name = b""
    end = 0
    lowest = at
    while message[at]:
        if message[at] & _POINTER == _POINTER:
            end = end or at + 2
            # Only what stands before may be pointed at, so that every name ends.
            at = int.from_bytes(message[at : at + 2], "big") & ~(_POINTER << 8)
            if at >= lowest:
                raise IndexError
            lowest = at
        else:
            name += message[at : at + 1 + message[at]]
            at += 1 + message[at]
    return name.lower(), end or at + 1
