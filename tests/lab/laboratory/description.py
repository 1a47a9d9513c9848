# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What hosts.yml says, as values.
"""The description of the laboratory's hosts, zones and networks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LAB_FOLDER = Path(__file__).resolve().parents[1]


class LabError(Exception):
    """Something that stops the laboratory; its text is one sentence for the person who runs it."""


@dataclass(frozen=True)
class Host:
    """One container: its inventory name, its place (offset) in the lab's subnet and what runs on it.

    ``files`` are the folders below ``files`` that are laid over its image, in this order. One that is ``apart`` only
    stands where it is asked for: the topologies of Molecule's scenarios need it.
    """

    name: str
    fqdn: str
    place: int
    kind: str
    image: str
    services: tuple[str, ...]
    mailboxes: tuple[str, ...]
    files: tuple[str, ...]
    apart: bool

    def address(self, subnet: ipaddress.IPv4Network) -> str:
        """Give the host's IPv4 address in ``subnet``."""
        return str(subnet[self.place])


@dataclass(frozen=True)
class Zone:
    """One DNS zone and the MX records that it starts with, in presentation form."""

    name: str
    mx: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """All of hosts.yml."""

    hosts: tuple[Host, ...]
    zones: tuple[Zone, ...]
    dns_key: str
    networks: tuple[ipaddress.IPv4Network, ...]
    prefix_length: int

    def host(self, name: str) -> Host:
        """Give the host of that inventory name; ``LabError`` where there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise LabError(f"the laboratory has no host {name}; its hosts are {', '.join(h.name for h in self.hosts)}")

    @property
    def name_server(self) -> Host:
        """The host that answers DNS queries and takes DNS updates."""
        return next(host for host in self.hosts if host.kind == "name_server")

    @property
    def mail_servers(self) -> tuple[Host, ...]:
        """The hosts that have mailboxes."""
        return tuple(host for host in self.hosts if host.kind == "mail_server")

    def subnets(self) -> list[ipaddress.IPv4Network]:
        """Give every subnet that one laboratory may take, in a fixed order."""
        return [subnet for network in self.networks for subnet in network.subnets(new_prefix=self.prefix_length)]


def _crowd(crowd: dict[str, Any] | None) -> list[str]:
    if crowd is None:
        return []
    return [f"{crowd['name']}-{number:02d}@{crowd['domain']}" for number in range(1, crowd["count"] + 1)]


@cache
def lab_description(path: Path = LAB_FOLDER / "hosts.yml") -> Description:
    """Read the description of the laboratory."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Description(
        hosts=tuple(
            Host(
                name=name,
                fqdn=host["fqdn"],
                place=host["place"],
                kind=host["kind"],
                image=host["image"],
                services=tuple(host["services"]),
                mailboxes=(*host.get("mailboxes", ()), *_crowd(host.get("crowd"))),
                files=(host["kind"], *host.get("files", ()), name),
                apart=host.get("apart", False),
            )
            for name, host in raw["hosts"].items()
        ),
        zones=tuple(Zone(name=name, mx=tuple(zone["mx"])) for name, zone in raw["zones"].items()),
        dns_key=raw["dns_key"],
        networks=tuple(ipaddress.IPv4Network(network) for network in raw["networks"]),
        prefix_length=raw["prefix_length"],
    )
