# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The passwords of relays, as modules take them: each with the host and port of its relay. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.relay import Relay, parse_relay, place_of
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_login import parse_password
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_tls import PROVEN_BEFORE_LOGIN


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
