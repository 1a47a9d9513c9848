# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A conversation with one DNS server: signed requests out, verified replies in. Private to this collection.

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import TracebackType

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import wire as octets
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.datagrams import UdpTransport, Worth
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    DnsFailure,
    NoWayThere,
    Party,
    ServerUnreachable,
    key_refused,
    reply_not_trusted,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import ALGORITHMS, SigningKey
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import dns
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import (
    DNS_PORT,
    TcpTransport,
    TransportError,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.wire import DnsReply, Request

# So many questions go out before the replies to them are awaited: far below the 65,536 ids there are.
_BATCH = 10_000
_IDS = 65_536


class MessageTooLarge(DnsFailure):
    """A message, signed, is beyond the size limit of DNS messages; nothing was sent."""


class DnsConnection:
    """A conversation with one DNS server, as one key or unsigned; use it in a ``with`` statement."""

    def __init__(
        self,
        server: str,
        port: int = DNS_PORT,
        *,
        protocol: str = "tcp",
        timeout: float = 10.0,
        key: SigningKey | None = None,
    ) -> None:
        """Prepare the conversation; nothing is sent. ``timeout`` is the longest silence in seconds."""
        self.party = Party(server, port, key.name if key else None)
        self._tcp = TcpTransport(server, port, timeout)
        self._udp = UdpTransport(server, port, timeout) if protocol == "udp" else None
        self._key = (
            dns.tsig.Key(dns.name.from_text(key.name), key.secret, dns.name.from_text(ALGORITHMS[key.algorithm]))
            if key
            else None
        )
        # Ids count up, so that a late reply to an earlier question is never taken for that to a later one.
        self._id = random.randrange(_IDS)  # noqa: S311 - the signature protects, not the id

    def __enter__(self) -> DnsConnection:
        """Give the connection itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self._tcp.close()
        if self._udp:
            self._udp.close()

    def ask(self, questions: Sequence[tuple[str, str]], may_be_foreign: bool = False) -> list[DnsReply]:
        """Put questions, each a canonical name and a type, and give the replies in the same order.

        The questions are not recursive. Raises ServerUnreachable and SignatureFailed; an rcode is the caller's to read.
        A REFUSED is believed without a signature over TCP, for Knot DNS has no key for zones that it does not serve;
        after one that came as a datagram the question is put over TCP. Where the
        names ``may_be_foreign``, the server's not knowing the key is a reply as well, without any records: so says Knot
        DNS of zones whose rules do not name the key.
        """
        # EDNS only where the size of a reply matters: over TCP it would be ballast.
        edns = self._udp is not None
        replies: list[DnsReply] = []
        for start in range(0, len(questions), _BATCH):
            batch = questions[start : start + _BATCH]
            requests = [octets.question(self._next_id(), name, rdtype, self._key, edns) for name, rdtype in batch]
            replies += self._exchange(requests, repeatable=True, may_be_foreign=may_be_foreign)
        return replies

    def update(self, message: dns.update.UpdateMessage) -> DnsReply:
        """Send an update once and give the reply.

        Raises MessageTooLarge before anything is sent, ServerUnreachable and SignatureFailed.
        """
        return self._exchange([self._update(message)], repeatable=False)[0]

    def rehearse(self, messages: Sequence[dns.update.UpdateMessage]) -> list[DnsReply]:
        """Send updates that change nothing, all at once, and give their replies; otherwise as ``update``."""
        replies: list[DnsReply] = []
        for start in range(0, len(messages), _BATCH):
            requests = [self._update(message) for message in messages[start : start + _BATCH]]
            replies += self._exchange(requests, repeatable=True)
        return replies

    def _next_id(self) -> int:
        self._id = (self._id + 1) % _IDS
        return self._id

    def _update(self, message: dns.update.UpdateMessage) -> Request:
        try:
            return octets.update(self._next_id(), message, self._key)
        except dns.exception.TooBig as error:
            raise MessageTooLarge(f"a message to {self.party} is larger than {octets.TCP_SIZE} octets") from error

    def _exchange(self, requests: Sequence[Request], repeatable: bool, may_be_foreign: bool = False) -> list[DnsReply]:
        exchange = _Exchange(self.party, self._key, requests, repeatable, may_be_foreign)
        try:
            if self._udp:
                exchange.ask_over_udp(self._udp)
            try:
                exchange.ask_over_tcp(self._tcp)
            except TransportError:
                if self._udp is None:
                    raise
                exchange.ask_the_refused_again(self._udp)
                if exchange.unanswered():
                    raise
        except TransportError as error:
            raise exchange.failure(error) from error
        return [exchange.replies[request.number] for request in requests]


class _Exchange:
    """Some requests on their way, and what came in reply to each, by their ids."""

    def __init__(
        self,
        party: Party,
        key: dns.tsig.Key | None,
        requests: Sequence[Request],
        repeatable: bool,
        may_be_foreign: bool,
    ) -> None:
        self.replies: dict[int, DnsReply] = {}
        self._party = party
        self._key = key
        self._requests = {request.number: request for request in requests}
        self._repeatable = repeatable
        self._may_be_foreign = may_be_foreign
        self._read: dict[int, DnsReply] = {}
        self._distrusted: dict[int, DnsFailure] = {}
        self._refused: set[int] = set()
        self._is_patient = False

    def unanswered(self) -> list[Request]:
        """Give the requests that have no reply yet."""
        return [request for number, request in self._requests.items() if number not in self.replies]

    def ask_over_udp(self, udp: UdpTransport) -> None:
        """Send what is small enough as datagrams; what is truncated or refused so is still to be asked over TCP."""
        small = {one.number: one.wire for one in self.unanswered() if len(one.wire) <= octets.UDP_SIZE}
        if small:
            self._take_datagrams(udp, small)

    def ask_over_tcp(self, tcp: TcpTransport) -> None:
        """Send what has no reply yet; TCP is nobody else's."""
        left = {request.number: request.wire for request in self.unanswered()}
        for wire in tcp.replies(left, self._repeatable) if left else ():
            request = self._requests[_id_of(wire)]
            reply = self._verified(wire, request)
            if reply.is_truncated:
                # What is missing would be taken for what is not there.
                reason = "it is truncated, though it came over TCP"
                raise reply_not_trusted(self._party, request.about, reason, request.question is None)
            self.replies[request.number] = reply

    def ask_the_refused_again(self, udp: UdpTransport) -> None:
        """Wait for the true replies where refusals came unsigned, which end nothing (RFC 8945 section 5.3)."""
        self._is_patient = True
        refused = {one.number: one.wire for one in self.unanswered() if one.number in self._refused}
        if refused:
            self._take_datagrams(udp, refused)

    def failure(self, error: TransportError) -> DnsFailure:
        """Give the failure for requests without a reply."""
        unanswered = self.unanswered()
        for request in unanswered:
            if request.number in self._distrusted:
                # Something came, which says more than that nothing else did.
                return self._distrusted[request.number]
        doubt = "" if self._repeatable else " whether it was written is not known, so run the task again;"
        kind = NoWayThere if error.is_for_want_of_a_way else ServerUnreachable
        return kind(
            f"{self._party} was asked about {unanswered[0].about}, but {error}:{doubt} check that a DNS server listens "
            "there, that no firewall stands between, and the options server, port and timeout"
        )

    def _take_datagrams(self, udp: UdpTransport, wires: Mapping[int, bytes]) -> None:
        for wire in udp.replies(wires, self._repeatable, self._judge):
            reply = self._read.get(_id_of(wire))
            if reply is not None and not reply.is_truncated:
                self.replies[_id_of(wire)] = reply

    def _judge(self, wire: bytes) -> Worth:
        """Read a datagram; one that is not to be trusted is passed over (RFC 5452 section 9.1, RFC 8945 5.4)."""
        request = self._requests[_id_of(wire)]
        try:
            reply = self._verified(wire, request)
        except DnsFailure as error:
            self._distrusted[request.number] = error
            return Worth.NOTHING
        if self._key is not None and not reply.is_signed and reply.rcode == "REFUSED":
            # Anybody can send this: it is believed over TCP only, and else no more than what tells why at the end.
            self._refused.add(request.number)
            self._distrusted[request.number] = reply_not_trusted(
                self._party, request.about, _distrust(octets.NotSigned(), wire), is_update=False
            )
            return Worth.NOTHING if self._is_patient else Worth.PERHAPS
        is_plain = reply.repeats_question or (self._key is not None and reply.is_signed)
        if is_plain or request.number not in self._read:
            self._read[request.number] = reply
        return Worth.ANSWER if is_plain else Worth.PERHAPS

    def _verified(self, wire: bytes, request: Request) -> DnsReply:
        """Read a reply, or tell why it is not to be trusted (RFC 8945 section 5.4)."""
        try:
            return octets.read_reply(wire, request, self._key)
        except dns.tsig.PeerError as error:
            if self._may_be_foreign and isinstance(error, dns.tsig.PeerBadKey):
                return octets.empty_reply(wire)
            raise key_refused(self._party, request.about, _error_of_peer(error)) from error
        except (dns.exception.DNSException, octets.Unreadable, octets.NotSigned, octets.NotAnAnswer) as error:
            is_update = request.question is None
            # A forged refusal only ends the task, as every other forged reply does.
            if isinstance(error, octets.NotSigned) and not is_update and octets.rcode_of(wire) == "REFUSED":
                return octets.empty_reply(wire)
            raise reply_not_trusted(self._party, request.about, _distrust(error, wire), is_update) from error


def _id_of(wire: bytes) -> int:
    return int.from_bytes(wire[:2], "big")


def _distrust(error: Exception, wire: bytes) -> str:
    reasons: dict[type[Exception], str] = {
        dns.tsig.BadTime: "its time differs by more than five minutes from ours",
        dns.tsig.BadKey: "it is signed with another key",
        dns.tsig.BadAlgorithm: "it is signed with another algorithm than the key's",
        dns.tsig.BadSignature: "its signature is wrong",
        octets.NotSigned: f"it is not signed (and says {octets.rcode_of(wire)})",
        octets.NotAnAnswer: "it answers another question",
    }
    return reasons.get(type(error), f"it cannot be read ({error})")


def _error_of_peer(error: Exception) -> str:
    names: dict[type[Exception], str] = {
        dns.tsig.PeerBadKey: "BADKEY",
        dns.tsig.PeerBadSignature: "BADSIG",
        dns.tsig.PeerBadTime: "BADTIME",
        dns.tsig.PeerBadTruncation: "BADTRUNC",
    }
    return names.get(type(error), str(error))
