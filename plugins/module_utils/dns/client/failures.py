# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The failures of DNS requests and the sentences that tell them. Private to this collection.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError


class DnsFailure(SplitDomainError):
    """The base of all failures of DNS requests."""


class LibraryMissing(DnsFailure):
    """dnspython is not there or too old."""


class ServerUnreachable(DnsFailure):
    """The server did not answer: no route, no listener, a timeout, a closed connection."""


class NoWayThere(ServerUnreachable):
    """This host has no way to the server's address, as to an IPv6 address without IPv6."""


class ResolverUseless(DnsFailure):
    """No recursive resolver answered anything, so nothing is known of any name."""


class ServerRefused(DnsFailure):
    """The server answered with an rcode that is no success."""


class SignatureFailed(DnsFailure):
    """The signature of a request or of its reply was not accepted by the other side."""


class KeyRefused(SignatureFailed):
    """The server did not accept the signature of a request, and so did nothing."""


class ZoneMismatch(DnsFailure):
    """The server is not authoritative for a name, or the name belongs to another zone than the one given."""


class AliasInTheWay(DnsFailure):
    """A CNAME stands where no CNAME may stand: at the owner of an MX set, or as an exchange."""


class RemovalNotAllowed(DnsFailure):
    """A task would take away more MX records than it was allowed to. Nothing was written."""


class SetKeepsChanging(DnsFailure):
    """Somebody else changed a set each time between reading and writing."""


class WriteNotSeen(DnsFailure):
    """The server took an update, but does not give what was written."""


class ServersDisagree(DnsFailure):
    """Not every authoritative server gave the new set in time; ``servers`` has what each said."""

    def __init__(self, sentence: str, servers: tuple[dict[str, Any], ...] = ()) -> None:
        """Take the sentence, and what each server said as modules return it."""
        super().__init__(sentence)
        self.servers = servers

    def details(self) -> dict[str, Any]:
        """Give what each server said."""
        return {"servers": list(self.servers)}


class PartlyWritten(DnsFailure):
    """Some messages were written before one failed."""


class ZoneFileUnreadable(DnsFailure):
    """A zone file cannot be opened, or not be understood."""


class ZoneFileNotEditable(DnsFailure):
    """Something forbids to change a zone file: the server writes it itself, or the records stand elsewhere."""


class ZoneCheckFailed(DnsFailure):
    """named-checkzone did not take the new text of a zone file; nothing was written."""


class ServerNotTold(DnsFailure):
    """A zone file is written, but the server could not be told, or does not serve it."""


@dataclass(frozen=True)
class Party:
    """Who was asked, and as whom: the words that every sentence about a server needs."""

    server: str
    port: int
    key_name: str | None = None

    def __str__(self) -> str:
        """Give the server and the key as a phrase."""
        signed = f"with the key {self.key_name}" if self.key_name else "without a key"
        return f"the DNS server {self.server} port {self.port} ({signed})"


_QUERY_CURES = {
    "REFUSED": "ask a server that is authoritative for it, or let this host or key query it there (BIND: allow-query)",
    "NOTAUTH": "ask a server that is authoritative for it",
    "SERVFAIL": "look into the server's log: the zone may have failed to load or may have expired",
}
_HOLDS_MORE_THAN_IT_SHOWS = (
    "it holds other MX records than it shows, so look for records that stand there twice, and for changes that its "
    "caches do not show yet (PowerDNS: rows that somebody wrote into the database)"
)
_UPDATE_CURES = {
    "NXRRSET": _HOLDS_MORE_THAN_IT_SHOWS,
    "YXRRSET": _HOLDS_MORE_THAN_IT_SHOWS,
    "NOTAUTH": "send updates to the zone's primary server, and check the zone's name",
    "NOTZONE": "check the zone of each name",
    "SERVFAIL": "look into the server's log: the zone may not be loaded, its file or folder may not be writable, or a "
    "set may be larger than it allows (BIND: max-records-per-type, 100 records)",
    "NOTIMP": "use a server that takes dynamic updates (RFC 2136) for this zone",
    "FORMERR": "look into the server's log: it could not read the update",
}


def query_refused(party: Party, name: str, rcode: str) -> ServerRefused:
    """Give the failure for a query that was answered with an error: it says nothing about what exists."""
    cure = _QUERY_CURES.get(rcode, "look into the server's log")
    return ServerRefused(f"{party} answered the query for {name} with {rcode}: {cure}")


def update_refused(party: Party, zone: str, rcode: str) -> ServerRefused:
    """Give the failure for an update that was answered with an error."""
    if party.key_name is None and rcode in ("REFUSED", "NOTAUTH"):
        # Without a key Knot DNS says NOTAUTH, others REFUSED.
        cure = "name a key that may update the zone with key_name and key_secret, or with key_file"
    elif rcode == "REFUSED":
        cure = (
            f"let the key {party.key_name} change MX records of {zone} there (BIND: update-policy or allow-update; "
            "PowerDNS: the metadata TSIG-ALLOW-DNSUPDATE and ALLOW-DNSUPDATE-FROM), "
            "and give every exchange in this zone an address record, without which BIND refuses it too"
        )
    else:
        cure = _UPDATE_CURES.get(rcode, "look into the server's log")
    return ServerRefused(f"{party} did not take the update of the zone {zone} and said {rcode}: {cure}")


def key_refused(party: Party, about: str, error: str) -> KeyRefused:
    """Give the failure for a TSIG error that the server reported (RFC 8945 section 5.2)."""
    cures = {
        "BADKEY": "check key_name, and that the server has a key of this name with the same algorithm (BIND has none "
        "that ends in a number of bits, as hmac-sha256-128: use hmac-sha256) and lets it work on this zone "
        "(Knot DNS says BADKEY of every key that no acl of the zone lets do that)",
        "BADSIG": "check key_secret and key_algorithm: they differ from the server's",
        "BADTIME": "set the clocks of this host and of the server: they differ by more than five minutes",
        "BADTRUNC": "use a key_algorithm that does not truncate, as hmac-sha256",
    }
    cure = cures.get(error, "check the key on both sides")
    return KeyRefused(f"{party} did not accept the signature of the request for {about} and said {error}: {cure}")


def reply_not_trusted(party: Party, about: str, reason: str, is_update: bool) -> SignatureFailed:
    """Give the failure for a reply that is not signed as the request was (RFC 8945 section 5.4)."""
    doubt = " whether the update was written is not known;" if is_update else ""
    return SignatureFailed(
        f"the reply of {party} about {about} is not to be trusted, because {reason}:{doubt} "
        "make sure that nothing between here and the server answers in its place, and that the key is the same there"
    )


def alias_as_exchange(host: str, target: str) -> AliasInTheWay:
    """Give the failure for an exchange that is an alias."""
    return AliasInTheWay(
        f"the exchange {host} is an alias of {target}, and an MX record must not name an alias "
        f"(RFC 2181 section 10.3): write {target} instead"
    )
