# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The tests' own Internet as zone files: a root, top-level domains, and the zones below them on two servers.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knot_server import loopback

ROOT, FIRST, SECOND, DEFECTIVE, NOBODY = (loopback(last) for last in (30, 31, 32, 33, 34))
# Where exchanges are, as far as the zones say; nothing is sent there.
MAIL, BACKUP_MAIL, OTHER_MAIL = "198.51.100.25", "198.51.100.26", "203.0.113.25"
ADDRESSES = {"ns0": ROOT, "ns1": FIRST, "ns2": SECOND, "ns3": DEFECTIVE, "ns4": NOBODY}
HOSTS = f"""\
mail A {MAIL}
mail2 A {BACKUP_MAIL}
other A {OTHER_MAIL}
"""


@dataclass(frozen=True)
class Zone:
    """One zone: its lines, those of the second server where they differ, its serial there, and its name servers."""

    name: str
    lines: str = ""
    lines_of_second: str | None = None
    serial_of_second: int = 1
    servers: tuple[str, ...] = ("ns1", "ns2")
    extra_servers: tuple[str, ...] = ()
    # The zone of a hoster, whose name servers and mail server serve this one.
    servers_of: Zone | None = None

    def text(self, second: bool = False, serial: int | None = None) -> str:
        """Give the zone file of one of the two servers."""
        lines = self.lines if self.lines_of_second is None or not second else self.lines_of_second
        number = serial or (self.serial_of_second if second else 1)
        soa = f"@ SOA ns1 hostmaster {number} 3600 600 86400 300\n"
        if self.servers_of is not None:
            hoster = self.servers_of.origin
            servers = "".join(f"@ NS {server}.{hoster}\n" for server in self.servers)
            return f"$ORIGIN {self.origin}\n$TTL 300\n{soa}{servers}@ MX 10 mail.{hoster}\n{lines}"
        return f"$ORIGIN {self.origin}\n$TTL 300\n{soa}{self.server_records()}{HOSTS}{lines}"

    @property
    def origin(self) -> str:
        """Give the name with a dot at its end."""
        return self.name if self.name == "." else self.name + "."

    def server_records(self) -> str:
        """Give the NS records of the apex and the addresses of the servers."""
        records = "".join(f"@ NS {server}\n" for server in (*self.servers, *self.extra_servers))
        return records + "".join(f"{server} A {ADDRESSES[server]}\n" for server in self.servers)

    def delegation(self) -> str:
        """Give what the parent zone says of this one, with glue."""
        at = self.servers_of or self
        records = "".join(f"{self.origin} NS {server}.{at.origin}\n" for server in self.servers)
        if at is not self:
            return records
        return records + "".join(f"{server}.{self.origin} A {ADDRESSES[server]}\n" for server in self.servers)


def parent_files(parents: Sequence[Zone], children: Sequence[Zone]) -> dict[str, str]:
    """Give the texts of the zones that delegate: the root, the domains below it, and the delegations of all others."""
    texts = {zone.name: zone.text() for zone in parents}
    for zone in (*parents, *children):
        if zone.name != ".":
            texts[zone.name.partition(".")[2] or "."] += zone.delegation()
    return texts
