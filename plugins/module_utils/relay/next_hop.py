# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A relay: the next hop of a site, literal hosts and never a domain's MX; logging in there. Pure. Private.

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import (
    kind_of,
    refuse_odd_keys,
    shown_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import (
    ALWAYS_ENCRYPTED,
    FINGERPRINTS_KEY,
    MAY,
    NAMES_KEY,
    PROVEN_BEFORE_LOGIN,
    match_arguments,
    parse_tls,
)

HIGHEST_PORT = 65535
_PORT = re.compile(r"[0-9]{1,9}")
# What may be written for a port, and is none.
_SERVICES = ("smtp", "smtps", "submission", "submissions")
_KEYS = ("host", "port", "tls", NAMES_KEY, FINGERPRINTS_KEY, "username", "password")


@dataclass(frozen=True, order=True)
class Relay:
    """The next hop of a site: a literal host name or address, never looked up as MX.

    ``others`` are the site's further servers, each with a policy of its own and no others: they are tried in their
    order while those before them cannot be reached, or put the mail off. ``tls_match`` are the names or fingerprints of
    its certificate. ``password`` is for the split map alone: what a server keeps of it is in no settings.
    """

    host: str
    port: int = 25
    tls: str = MAY
    others: tuple[Relay, ...] = ()
    tls_match: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return ",".join(place_of(server) for server in self.servers)

    @property
    def servers(self) -> tuple[Relay, ...]:
        """Each server of the next hop as a relay by itself, in the order in which they are tried."""
        return (replace(self, others=()), *self.others)

    def as_arguments(self) -> dict[str, Any]:
        """Give the first server as users write it, without its password and without what is not said of it."""
        return {
            "host": self.host,
            "port": self.port,
            "tls": self.tls,
            **match_arguments(self.tls, self.tls_match),
            **({} if self.username is None else {"username": self.username}),
        }


def place_of(server: Relay) -> str:
    """Give one server of a next hop as Postfix names it; the brackets switch off MX lookups."""
    return f"[{server.host}]:{server.port}"


def next_hop(servers: Sequence[Relay]) -> Relay:
    """Give servers, each a relay by itself, as one next hop."""
    return replace(servers[0], others=tuple(servers[1:]))


def parse_relay(value: Any, owner: str) -> Relay:
    """Read what a relay is as a mapping, a bare host, or a list of these; ``owner`` is whose it is in messages."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        servers = [_parse_server(entry, owner) for entry in value]
        if not servers:
            raise InvalidInput(f"{owner} is an empty list: name the servers that take its mail")
        places = [place_of(server) for server in servers]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            raise InvalidInput(f"{owner} names the server {twice} twice: name each server once")
        return next_hop(servers)
    return _parse_server(value, owner)


def _parse_server(value: Any, owner: str) -> Relay:
    if isinstance(value, str):
        value = {"host": value}
    refuse_odd_keys(value, _KEYS, owner)
    host = value.get("host")
    if not isinstance(host, str) or not host.strip():
        raise InvalidInput(f"{owner} has no host: give the name or address of the server that takes its mail")
    bare = host.strip(" \t").strip("[]")
    canonical = str(ipaddress.ip_address(bare)) if is_ip_address(bare) else canonical_host(bare)
    tls, match = parse_tls(value, canonical, owner)
    password = value.get("password")
    return Relay(
        host=canonical,
        port=parse_port(value.get("port"), owner),
        tls=tls,
        tls_match=match,
        username=parse_username(value.get("username"), tls, owner),
        password=None if password is None else parse_password(password, owner),
    )


def parse_port(value: Any, owner: str) -> int:
    """Read a TCP port, 25 when None; raises InvalidInput outside 1..65535."""
    if value is None:
        return 25
    # Only these digits: Python takes those of every script, and underscores between them.
    text = str(value).strip(" \t") if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    port = int(text) if _PORT.fullmatch(text) else 0
    if not 1 <= port <= HIGHEST_PORT:
        raise InvalidInput(f"{owner} has port {kind_of(value, _SERVICES)}: a port is a number from 1 to {HIGHEST_PORT}")
    return port


def refuse_two_policies(relays: Iterable[Relay]) -> None:
    """Raise InvalidInput when one relay is named with two TLS policies: a server keeps one for each next hop."""
    found: dict[str, Relay] = {}
    for server in (server for relay in relays for server in relay.servers):
        earlier = found.setdefault(place_of(server), server)
        if earlier.tls != server.tls:
            raise InvalidInput(
                f"the relay {server} is named with tls {earlier.tls} and with tls {server.tls}: "
                f"a server keeps one policy for each relay, give it the same everywhere"
            )
        if earlier != server:
            raise InvalidInput(
                f"the relay {server} is named twice, with different certificates or logins: "
                f"a server keeps one of each for each relay, give it the same everywhere"
            )


# Logging in at a relay (SMTP AUTH): user names, and passwords, which never stand where others can read them.


def parse_username(value: Any, tls: str, owner: str) -> str | None:
    """Read the user name for a relay with the TLS policy ``tls``; raises InvalidInput where it could be overheard."""
    if value is None:
        return None
    # sasl_passwd ends the name at the first colon.
    if not _is_plain(value) or ":" in value:
        raise InvalidInput(
            f"{owner} has the username {shown_name(value)}: write a text without colons, line breaks, control "
            f"characters and white space at its ends"
        )
    if tls not in ALWAYS_ENCRYPTED:
        raise InvalidInput(
            f"{owner} has a username and tls {tls}, so that its password could be sent in clear: "
            f"set tls to one of {', '.join(ALWAYS_ENCRYPTED)}"
        )
    return str(value)


def parse_password(value: Any, owner: str) -> str:
    """Read the password for a relay; raises InvalidInput, which does not tell it."""
    if not _is_plain(value):
        raise InvalidInput(
            f"{owner} has a password that cannot be used: write a text without line breaks, control characters and "
            f"white space at its ends, in quotes"
        )
    return str(value)


def _is_plain(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value == value.strip() != ""
        and all(one == " " or one.isprintable() for one in value)
    )


# The passwords of relays, as modules take them: each with the host and port of its relay.


def login_warnings(servers: Iterable[Relay]) -> tuple[str, ...]:
    """Give a warning for each of these servers that gets a password without having to prove who it is."""
    return tuple(
        f"the relay {server} has a username and tls {server.tls}, which takes any certificate, so that its password "
        f"goes to whoever answers there: set tls to verify, fingerprint or dane-only"
        for server in dict.fromkeys(servers)
        if server.username is not None and server.tls not in PROVEN_BEFORE_LOGIN
    )


def refuse_password(relay: Relay) -> None:
    """Raise InvalidInput where a relay of settings, which are shown, has its password in it."""
    for server in relay.servers:
        if server.password is not None:
            raise InvalidInput(
                f"the relay {server} has a password in it, and settings are shown: give it in the option passwords, "
                f"with the relay's host and port"
            )


def parse_passwords(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Read the passwords of relays, by place; raises InvalidInput."""
    passwords: dict[str, str] = {}
    for entry in entries:
        server = parse_relay({"host": entry["host"], "port": entry["port"]}, "an entry of passwords")
        password = parse_password(entry["password"], f"the relay {server}")
        if passwords.setdefault(place_of(server), password) != password:
            raise InvalidInput(f"the option passwords names the relay {server} twice: give it one password")
    return passwords
