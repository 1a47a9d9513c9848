# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The laboratory's network: one small subnet that nothing on this machine uses.
"""The network of one laboratory."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from laboratory.description import Description, LabError
from laboratory.podman import LAB_NAME, podman


def ensure_network(description: Description) -> ipaddress.IPv4Network:
    """Give the subnet of this checkout's network, created when it is not there.

    This machine has an address in it, so that Ansible's controller reaches the name server. Names outside the
    laboratory do not exist for its hosts (see zones.py), and their packages come from a folder of their own.
    """
    present = current_subnet()
    if present in description.subnets():
        return present
    if present is not None:
        remove_network()
    taken = [*_podman_subnets(), *used_subnets(_routes(), _resolver_settings())]
    for subnet in free_subnets(description.subnets(), taken, LAB_NAME):
        created = podman("network", "create", "--disable-dns", "--subnet", str(subnet), LAB_NAME, check=False)
        if created.code == 0:
            return subnet
        if "already" not in created.err and "subnet" not in created.err:
            raise LabError(f"the network {LAB_NAME} could not be created: {created.err.strip()}")
    raise LabError(
        "no subnet is free for the laboratory: every one of "
        f"{', '.join(map(str, description.networks))} is in use; take other laboratories down (lab.py down)"
    )


def current_subnet() -> ipaddress.IPv4Network | None:
    """Give the subnet of this checkout's network, or nothing when there is no network."""
    if podman("network", "exists", LAB_NAME, check=False).code != 0:
        return None
    found = json.loads(podman("network", "inspect", LAB_NAME).out)
    return ipaddress.IPv4Network(found[0]["subnets"][0]["subnet"])


def remove_network() -> None:
    """Remove the network and every container that is attached to it."""
    podman("network", "rm", "--force", LAB_NAME, check=False)


def free_subnets(
    candidates: Sequence[ipaddress.IPv4Network], taken: Sequence[ipaddress.IPv4Network], checkout: str
) -> Iterator[ipaddress.IPv4Network]:
    """Give the candidates that overlap nothing of ``taken``.

    Every checkout begins at a place of its own, so that two that start together seldom want the same subnet.
    """
    first = zlib.crc32(checkout.encode()) % len(candidates)
    for subnet in itertools.chain(candidates[first:], candidates[:first]):
        if not any(subnet.overlaps(other) for other in taken):
            yield subnet


def used_subnets(routes: str, resolver_settings: str) -> list[ipaddress.IPv4Network]:
    """Give the networks that this machine reaches by a route of its own, and the addresses of its name servers.

    ``routes`` is what ``ip -json -4 route`` prints, ``resolver_settings`` the text of resolv.conf(5). The default route
    takes nothing: it is for everything that has no other.
    """
    named = [route["dst"] for route in json.loads(routes) if route["dst"] != "default"]
    named += re.findall(r"^nameserver\s+([\d.]+)\s*$", resolver_settings, flags=re.MULTILINE)
    return [ipaddress.IPv4Network(text, strict=False) for text in named]


def _routes() -> str:
    done = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, check=False, text=True)  # noqa: S607
    if done.returncode != 0:
        raise LabError(f"this machine's routes could not be read: {done.stderr.strip()}")
    return done.stdout or "[]"


def _resolver_settings() -> str:
    path = Path("/etc/resolv.conf")
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _podman_subnets() -> list[ipaddress.IPv4Network]:
    names = podman("network", "ls", "--quiet").out.split()
    if not names:
        return []
    taken = []
    for network in json.loads(podman("network", "inspect", *names).out):
        for subnet in network.get("subnets") or ():
            parsed = ipaddress.ip_network(subnet["subnet"])
            if isinstance(parsed, ipaddress.IPv4Network):
                taken.append(parsed)
    return taken
