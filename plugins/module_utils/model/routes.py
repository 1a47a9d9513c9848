# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Routes: where mail for one address goes, as users write them and as text between controller and server. Private.

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import (
    DOT_ATOM_PATTERN,
    Address,
    parse_address,
    parse_recipient,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown_host
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import COPIES, copy_domain, parse_copies
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, next_hop, parse_relay

LOCAL_ROUTE = "local"

# Subdomain routing: an address that is rewritten to one in the subdomain of its site.


@dataclass(frozen=True, order=True)
class Rewriting:
    """Mail goes to an address in ``subdomain``, whose own MX is asked; ``local_part`` None keeps the one that is."""

    subdomain: str
    local_part: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.local_part or ''}@{self.subdomain}"


def parse_rewriting(text: str, owner: str) -> Rewriting:
    """Read ``user@cloud.example.com``, or ``@cloud.example.com`` for the same local part; raises InvalidInput."""
    bare = text.strip()
    try:
        if bare.startswith("@"):
            return Rewriting(canonical_domain(bare[1:]))
        address = parse_address(bare)
    except InvalidInput as error:
        raise InvalidInput(f"{owner} is rewritten to {text!r}: {error}") from error
    return Rewriting(address.domain, address.local_part)


RouteDestination = Optional[Union[Relay, Rewriting]]
"""The relay or subdomain that mail for an address goes to; None when the mailbox is on this server's own site."""
_REWRITTEN = re.compile(r"\t[^\t\n:@]*@")
_HOST_PORT = re.compile(r"(?:\[(?P<literal>[^\[\]\s]+)\]|(?P<host>[^\[\]:\s]+))(?::(?P<port>[0-9]+))?")


@dataclass(frozen=True)
class RoutesText:
    """All routes of one domain as text, made on the controller and checked again where it is used.

    The first line names the domain; then come lines ``address<TAB>destination``, sorted, where the destination is
    ``local``, ``[host]:port``, several of these with commas between them, or ``@subdomain`` with another local part
    before it or none.
    """

    domain: str
    lines: str
    copies: str = ""
    """Lines ``address<TAB>domain domain``: where copies go of mail for a local address, or arrive for another one."""

    @classmethod
    def of(
        cls,
        domain: str,
        routes: Mapping[Address, RouteDestination],
        copies: Mapping[Address, Iterable[str]] | None = None,
    ) -> RoutesText:
        """Give the text of a domain's routes, and of copies for the sites that each address names."""
        copied = (
            f"{address}\t{' '.join(copy_domain(site, domain) for site in sites)}\n"
            for address, sites in (copies or {}).items()
        )
        lines = sorted(f"{address}\t{show(to)}\n" for address, to in routes.items())
        return cls(domain, "".join(lines), "".join(sorted(copied)))

    @classmethod
    def parse(cls, text: str) -> RoutesText:
        """Read what ``render`` gave; raises InvalidInput for a text without its title, and checks no line of it."""
        title, _newline, lines = text.partition("\n")
        domain = title[len(_TITLE) :] if title.startswith(_TITLE) else ""
        if not domain:
            raise InvalidInput(_NOT_OURS)
        lines, _marker, copies = lines.partition(_COPIES)
        return cls(domain, lines, copies)

    def check(self) -> None:
        """Raise InvalidInput unless every line is one that ``of`` makes; to be asked before anything is written."""
        server = r"\[[a-z0-9.:-]+\]:[0-9]{1,5}"
        rewritten = rf"(?:{DOT_ATOM_PATTERN})?@[a-z0-9.-]+"
        destination = rf"(?:local|{server}(?:,{server})*|{rewritten})"
        line = rf"{DOT_ATOM_PATTERN}@{re.escape(self.domain)}\t{destination}\n"
        names = rf"[a-z0-9.-]+\.{re.escape(COPIES)}"
        copied = rf"{DOT_ATOM_PATTERN}@{re.escape(self.domain)}\t{names}(?: {names})*\n"
        if not (
            re.fullmatch(f"(?:{line})*", self.lines, re.ASCII) and re.fullmatch(f"(?:{copied})*", self.copies, re.ASCII)
        ):
            raise InvalidInput(_NOT_OURS)

    def render(self) -> str:
        """Give the whole text."""
        return f"{_TITLE}{self.domain}\n{self.lines}" + (f"{_COPIES}{self.copies}" if self.copies else "")

    def pack(self) -> str:
        """Give the text as it travels: compressed to about a tenth, in base64."""
        return base64.b64encode(zlib.compress(self.render().encode("ascii"), level=1)).decode("ascii")

    @classmethod
    def unpack(cls, packed: str) -> RoutesText:
        """Read what ``pack`` gave; raises InvalidInput as ``parse`` does."""
        try:
            text = zlib.decompress(base64.b64decode(packed, validate=True)).decode("ascii")
        except (ValueError, zlib.error):
            text = ""
        return cls.parse(text)

    def only_local(self) -> RoutesText:
        """Give the routes of this server's own mailboxes alone, and the copies that arrive here."""
        local = [line for line in self.lines.splitlines(keepends=True) if line.endswith("\tlocal\n")]
        own = self.local_addresses() if self.copies else frozenset()
        arriving = [line for line in self.copies.splitlines(keepends=True) if line.partition("\t")[0] not in own]
        return RoutesText(self.domain, "".join(local), "".join(arriving))

    def local_addresses(self) -> frozenset[str]:
        """Give the addresses of this server's own mailboxes."""
        return frozenset(line.partition("\t")[0] for line in self.lines.splitlines() if line.endswith("\tlocal"))

    def only_elsewhere(self) -> RoutesText:
        """Give the routes to other sites alone."""
        elsewhere = [line for line in self.lines.splitlines(keepends=True) if not line.endswith("\tlocal\n")]
        return RoutesText(self.domain, "".join(elsewhere))

    def with_transports(self, local_transport: str, relay_service: str) -> str:
        """Give the lines with transports instead of destinations.

        These are ``local_transport``, ``service:[host]:port``, and ``service:subdomain``, which is looked up as MX.
        """
        lines = _REWRITTEN.sub(f"\t{relay_service}:", self.lines)
        return lines.replace("\tlocal\n", f"\t{local_transport}\n").replace("\t[", f"\t{relay_service}:[")


_TITLE = "mailops.split_domain routes of "
_COPIES = "# copies\n"
_NOT_OURS = (
    "the option 'content' is not what the collection's own action makes of a directory: "
    "leave it out, and name the file on the controller in 'src'"
)


@dataclass(frozen=True)
class RoutesRequest:
    """What ``recipient_routes`` is asked for: the routes of one domain that shall be all, there, or gone.

    ``text`` holds them; for ``absent`` only its addresses count, with ``only_local`` only its local ones.
    ``local_transport`` None is what the domain's settings say, and empty what the server's own do; ``subdomain`` is
    that of its site, None for the one it has already, and so with ``alias_domains``.
    """

    text: RoutesText
    state: str
    local_transport: Optional[str] = None
    only_local: bool = False
    subdomain: Optional[str] = None
    alias_domains: Optional[tuple[str, ...]] = None
    catch_all: bool = False
    """Whether the server has, or gets, a catch-all that these addresses have to be kept from."""


def parse_routes(entries: Iterable[Any], domain: str) -> dict[Address, RouteDestination]:
    """Read a list of ``{address, to}``; raises InvalidInput for a bad entry, or one address with two destinations."""
    routes: dict[Address, RouteDestination] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("address"), str):
            raise InvalidInput(f"the routes of {domain} have an entry without 'address' ({kind_of(entry)}): add it")
        address = parse_recipient(entry["address"], domain)
        destination = _with_own_name(parse_destination(entry.get("to"), f"the route of {address}"), address)
        if routes.setdefault(address, destination) != destination:
            raise InvalidInput(
                f"{address} is routed twice, to {show(routes[address])} and to {show(destination)}: remove one of them"
            )
    return routes


def copies_in(entries: Iterable[Mapping[str, Any]], domain: str) -> dict[Address, tuple[str, ...]]:
    """Give the sites in ``copy`` of a list that ``parse_routes`` has read, for each address that has any."""
    found = {parse_recipient(entry["address"], domain): entry.get("copy") for entry in entries}
    return {address: parse_copies(value, f"the route of {address}") for address, value in found.items() if value}


def parse_destination(value: Any, owner: str) -> RouteDestination:
    """Read ``local``, ``host``, ``host:port``, ``[address]:port``, ``{host, port}`` or an address in a subdomain.

    Several servers, tried in their order, come as a list, or as text with commas between them. ``owner`` is for
    messages.
    """
    if isinstance(value, str) and value.strip().lower() == LOCAL_ROUTE:
        return None
    if isinstance(value, str) and "@" in value:
        return parse_rewriting(value, owner)
    if value is None:
        raise InvalidInput(f"{owner} does not say where mail goes: give 'to', as local or as host and port")
    if isinstance(value, str) and "," in value:
        value = value.split(",")
    servers = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    relay = parse_relay([_server(server, owner) for server in servers], owner)
    # Only where mail goes: the policies of relays are those of the peers in the server's settings.
    return next_hop([Relay(server.host, server.port) for server in relay.servers])


def _server(value: Any, owner: str) -> Any:
    """Give one server of a next hop as a mapping, where it is text."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == LOCAL_ROUTE:
        raise InvalidInput(f"{owner} has local in a list of servers: write local alone, or hosts with their ports")
    if is_ip_address(value):
        return {"host": value}
    found = _HOST_PORT.fullmatch(value.strip())
    if not found:
        raise InvalidInput(
            f"{owner} goes to {shown_host(value)}: write local, host:port, or a mapping of host and port"
        )
    return {"host": found["literal"] or found["host"], "port": found["port"]}


def show(destination: RouteDestination) -> str:
    """Give a destination as users read it."""
    return LOCAL_ROUTE if destination is None else str(destination)


def _with_own_name(destination: RouteDestination, address: Address) -> RouteDestination:
    """Give the one spelling of a rewriting; raises InvalidInput for one that stays in the address's own domain."""
    if not isinstance(destination, Rewriting):
        return destination
    if destination.subdomain == address.domain:
        raise InvalidInput(
            f"{address} is rewritten to {destination}, which is in the same domain: name an address in the subdomain "
            "of another site, or make an alias of it where the mailbox lives"
        )
    return Rewriting(destination.subdomain) if destination.local_part == address.local_part else destination
