# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Signed questions and updates to one server, and replies that are verified. Private to this collection.

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import (
    DnsFailure,
    Party,
    ServerUnreachable,
    key_refused,
    reply_not_trusted,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.key import ALGORITHMS, SigningKey
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.library import dns
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.transport import (
    TcpTransport,
    TransportError,
    UdpTransport,
)

# What passes every path without fragments (DNS flag day 2020); a larger request goes over TCP.
UDP_SIZE = 1232
# RFC 1035 section 4.2.2: the length of a message over TCP is told in 16 bits.
TCP_SIZE = 65535
# So many questions go out before the replies to them are awaited: far below the 65,536 ids there are.
_BATCH = 10_000
_RCODE_MASK = 0x0F


class MessageTooLarge(DnsFailure):
    """A message, signed, is beyond the size limit of DNS messages; nothing was sent."""


class Connection:
    """A conversation with one DNS server, as one key or unsigned; use it in a ``with`` statement."""

    def __init__(  # noqa: PLR0913 - these six are what a conversation is
        self,
        server: str,
        port: int = 53,
        protocol: str = "tcp",
        timeout: float = 10.0,
        key: SigningKey | None = None,
    ) -> None:
        """Prepare the conversation; nothing is sent. ``timeout`` is the longest silence in seconds."""
        self.party = Party(server, port, key.name if key else None)
        self.tcp = TcpTransport(server, port, timeout)
        self._udp = UdpTransport(server, port, timeout) if protocol == "udp" else None
        self._key = (
            dns.tsig.Key(dns.name.from_text(key.name), key.secret, dns.name.from_text(ALGORITHMS[key.algorithm]))
            if key
            else None
        )
        # Ids count up, so that a late reply to an earlier question is never taken for that to a later one.
        self._id = random.randrange(TCP_SIZE)  # noqa: S311 - the signature protects, not the id

    def __enter__(self) -> Connection:
        """Give the connection itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self.tcp.close()
        if self._udp:
            self._udp.close()

    def ask(self, questions: Sequence[tuple[str, str]]) -> list[dns.message.Message]:
        """Put questions, each a canonical name and a type, and give the replies in the same order.

        The questions are not recursive. Raises ServerUnreachable and SignatureFailed; an rcode is the caller's to read.
        """
        messages = []
        for name, rdtype in questions:
            # EDNS only where the size of a reply matters: over TCP it would be ballast.
            message = dns.message.make_query(dns.name.from_text(name), rdtype, flags=0)
            if self._udp:
                message.use_edns(0, payload=UDP_SIZE)
            messages.append(message)
        return self.exchange(messages, repeatable=True, about=lambda message: str(message.question[0].name))

    def update(self, message: dns.update.UpdateMessage) -> dns.message.Message:
        """Send an update once and give the reply.

        Raises MessageTooLarge before anything is sent, ServerUnreachable and SignatureFailed.
        """
        zone = str(message.zone[0].name).rstrip(".")
        return self.exchange([message], repeatable=False, about=lambda _message: zone)[0]

    def exchange(
        self,
        messages: Sequence[dns.message.Message],
        repeatable: bool,
        about: Callable[[dns.message.Message], str],
    ) -> list[dns.message.Message]:
        """Send messages and give their verified replies in the same order; ``about`` names one for an error."""
        replies: list[dns.message.Message] = []
        for start in range(0, len(messages), _BATCH):
            replies += self._exchange_batch(messages[start : start + _BATCH], repeatable, about)
        return replies

    def _exchange_batch(
        self,
        messages: Sequence[dns.message.Message],
        repeatable: bool,
        about: Callable[[dns.message.Message], str],
    ) -> list[dns.message.Message]:
        by_id = {}
        for message in messages:
            self._id = (self._id + 1) % (TCP_SIZE + 1)
            message.id = self._id
            by_id[message.id] = message
        wires = {number: self._wire(message) for number, message in by_id.items()}
        replies: dict[int, dns.message.Message] = {}
        try:
            small = {number: wire for number, wire in wires.items() if self._udp and len(wire) <= UDP_SIZE}
            if self._udp and small:
                for wire in self._udp.replies(small, repeatable):
                    reply = self._verified(wire, by_id, about)
                    if not reply.flags & dns.flags.TC:
                        replies[reply.id] = reply
            left = {number: wire for number, wire in wires.items() if number not in replies}
            for wire in self.tcp.replies(left, repeatable) if left else ():
                reply = self._verified(wire, by_id, about)
                replies[reply.id] = reply
        except TransportError as error:
            raise self._unreachable(error, [m for m in messages if m.id not in replies], repeatable, about) from error
        return [replies[message.id] for message in messages]

    def _unreachable(
        self,
        error: TransportError,
        unanswered: Iterable[dns.message.Message],
        repeatable: bool,
        about: Callable[[dns.message.Message], str],
    ) -> ServerUnreachable:
        name = about(next(iter(unanswered))).rstrip(".")
        doubt = "" if repeatable else " whether it was written is not known, so run the task again;"
        return ServerUnreachable(
            f"{self.party} was asked about {name}, but {error}:{doubt} "
            "check that a DNS server listens there, that no firewall stands between, and the options server, port and "
            "timeout"
        )

    def _wire(self, message: dns.message.Message) -> bytes:
        if self._key is not None:
            message.use_tsig(self._key)
        try:
            wire: bytes = message.to_wire(max_size=TCP_SIZE)
        except dns.exception.TooBig as error:
            raise MessageTooLarge(f"a message to {self.party} is larger than {TCP_SIZE} octets") from error
        return wire

    def _verified(
        self, wire: bytes, by_id: dict[int, dns.message.Message], about: Callable[[dns.message.Message], str]
    ) -> dns.message.Message:
        """Read a reply and verify that it answers the request and is signed by the same key as the request."""
        request = by_id[int.from_bytes(wire[:2], "big")]
        name = about(request).rstrip(".")
        error_of_peer = {
            dns.tsig.PeerBadKey: "BADKEY",
            dns.tsig.PeerBadSignature: "BADSIG",
            dns.tsig.PeerBadTime: "BADTIME",
            dns.tsig.PeerBadTruncation: "BADTRUNC",
        }
        rcode = dns.rcode.to_text(dns.rcode.Rcode(wire[3] & _RCODE_MASK)) if len(wire) > 3 else "nothing"  # noqa: PLR2004
        try:
            reply = dns.message.from_wire(wire, keyring=self._key, request_mac=request.mac, ignore_trailing=False)
        except dns.tsig.PeerError as error:
            raise key_refused(self.party, name, error_of_peer.get(type(error), str(error))) from error
        except dns.tsig.BadTime as error:
            raise reply_not_trusted(self.party, name, "its time differs by more than five minutes from ours") from error
        except (dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.message.UnknownTSIGKey) as error:
            raise reply_not_trusted(self.party, name, "it is signed with another key") from error
        except dns.tsig.BadSignature as error:
            raise reply_not_trusted(self.party, name, "its signature is wrong") from error
        except dns.exception.DNSException as error:
            # dnspython refuses an unsigned reply by itself from 2.9 on, as a malformed one.
            unsigned = self._key is not None and _lacks_signature(wire)
            reason = f"it is not signed (and says {rcode})" if unsigned else f"it cannot be read ({error})"
            raise reply_not_trusted(self.party, name, reason) from error
        if self._key is not None and not reply.had_tsig:
            raise reply_not_trusted(self.party, name, f"it is not signed (and says {rcode})")
        if not request.is_response(reply):
            raise reply_not_trusted(self.party, name, "it answers another question")
        return reply


def _lacks_signature(wire: bytes) -> bool:
    try:
        # Without a keyring dnspython refuses every message that is signed.
        dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return False
    return True
