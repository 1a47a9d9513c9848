# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The Ansible inventory of the laboratory, written from its description.
"""The Ansible inventory of the laboratory."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from laboratory.description import Description, Host
from laboratory.podman import STATE_FOLDER
from laboratory.ssh import common_variables, connection_variables

INVENTORY = STATE_FOLDER / "inventory.yml"


def write_inventory(description: Description, standing: Iterable[Host], subnet: ipaddress.IPv4Network) -> Path:
    """Write the inventory of a laboratory that stands in ``subnet``; give its path.

    Every host has ``lab_address``. For the split map there are ``lab_addresses`` (inventory name to address),
    ``lab_directories`` (the folder of the CSV files), ``lab_name_server``, ``lab_dns_key`` and ``lab_dns_secret``.
    """
    groups: dict[str, dict[str, Any]] = {}
    for host in standing:
        members = groups.setdefault(host.kind + "s", {"hosts": {}})["hosts"]
        address = host.address(subnet)
        members[host.name] = {**connection_variables(host.name, address), "lab_address": address}
    inventory = {
        "all": {
            "children": {
                "laboratory": {
                    "children": groups,
                    "vars": common_variables(),
                }
            },
            "vars": {
                "lab_addresses": {host.name: host.address(subnet) for host in description.hosts},
                "lab_directories": str(STATE_FOLDER / "directories"),
                "lab_name_server": description.name_server.address(subnet),
                "lab_dns_key": description.dns_key,
                "lab_dns_secret": "{{ lookup('ansible.builtin.file', '" + str(STATE_FOLDER / "dns-secret") + "') }}",
            },
        }
    }
    text = "# Written by tests/lab/lab.py up from tests/lab/hosts.yml.\n---\n" + yaml.safe_dump(
        inventory, sort_keys=False
    )
    if not INVENTORY.exists() or INVENTORY.read_text(encoding="utf-8") != text:
        INVENTORY.write_text(text, encoding="utf-8")
    return INVENTORY
