# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What stands behind the names in the examples: name servers, a resolver, and mail servers.

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from internet import Internet, started_internet
from named_server import LOCKED, SECRETS, WRITER, Named, Zone
from receiving_postfix import Postfix, started_postfix
from smtp_wire_server import WireServer
from static_zones import rndc_of, started_static_named
from update_relay import relay_to
from zones import FIRST
from zones import Zone as PublicZone

# The zones name this as their server, and clients that wait for all servers of a zone ask there at port 53.
DNS_ADDRESS = "127.0.0.73"
OTHER_MAIL_SERVER = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx1.example.com
mydestination =
mynetworks =
"""
# A mail server at port 25, which the role mx asks whether it takes the mail.
EXCHANGE = "127.0.0.74"
DIRECTORY = "address,site\nalice@example.com,hq\nbob@example.com,cloud\n"


@pytest.fixture(scope="module")
def name_server() -> Iterator[Named]:
    with (
        started_static_named(
            {"example.com": Zone(f"in A {EXCHANGE}\n"), "example.net": Zone(), "example.org": Zone(policy=LOCKED)},
            address=DNS_ADDRESS,
        ) as named,
        relay_to(named, address=DNS_ADDRESS, port=53),
    ):
        yield named


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    """What a resolver finds of the domains in the examples."""
    parents = [PublicZone(name, servers=("ns0",)) for name in (".", "com", "net")]
    zones = [
        PublicZone("example.com", f"@ MX 10 mail\nprimary A {FIRST}\n"),
        PublicZone("example.net", "@ MX 10 mail\n"),
    ]
    with started_internet(zones, {}, parents) as running:
        yield running


@pytest.fixture(scope="module")
def exchange() -> Iterator[WireServer]:
    server = WireServer(place=(EXCHANGE, 25))
    yield server
    server.close()


@pytest.fixture(scope="module")
def receiving() -> Iterator[Postfix]:
    with started_postfix() as postfix:
        yield postfix


@pytest.fixture
def managed() -> Iterator[Postfix]:
    """A mail server that knows of no split domain yet."""
    with started_postfix(OTHER_MAIL_SERVER) as postfix:
        yield postfix


@pytest.fixture
def places(
    name_server: Named, internet: Internet, receiving: Postfix, managed: Postfix, tmp_path: Path
) -> dict[str, str]:
    """What stands in the examples, and what takes its place here."""
    key_file = tmp_path / "mail-update.key"
    key_file.write_text(f'key "{WRITER}" {{ algorithm hmac-sha256; secret "{SECRETS[WRITER]}"; }};\n')
    key_file.chmod(0o600)
    (tmp_path / "example.com.csv").write_text(DIRECTORY)
    return {
        "      server: 192.0.2.53": f"      server: {name_server.address}\n      port: {name_server.port}",
        "server: 192.0.2.53": f"server: {name_server.address}\n    port: {name_server.port}",
        "wait_servers: [192.0.2.54]": f"wait_servers: [{DNS_ADDRESS}]",
        "resolver: [192.0.2.53]": (
            f"resolver: [{internet.resolver.address}]\n    resolver_port: {internet.resolver.port}"
        ),
        "/etc/bind/mail-update.key": str(key_file),
        "/etc/bind/db.example.org": str(name_server.folder / "example.org.zone"),
        "[rndc, reload]": json.dumps([*rndc_of(name_server), "reload"]),
        "/etc/postfix": str(managed.config),
        "host: mx1.example.com": f"host: localhost\n    port: {receiving.port}",
    }
