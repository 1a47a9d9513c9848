# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The laboratory's network: one small subnet of the documentation ranges that nobody else on this machine has.
"""The network of one laboratory."""

from __future__ import annotations

import ipaddress
import json
import zlib

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
    taken = _taken_subnets()
    candidates = description.subnets()
    # Every checkout begins at a place of its own, so that two that start together seldom want the same subnet.
    first = zlib.crc32(LAB_NAME.encode()) % len(candidates)
    for subnet in candidates[first:] + candidates[:first]:
        if any(subnet.overlaps(other) for other in taken):
            continue
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


def _taken_subnets() -> list[ipaddress.IPv4Network]:
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
