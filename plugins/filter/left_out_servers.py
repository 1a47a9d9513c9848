# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter left_out_servers.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import (
    left_out_servers as servers_left_out_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map

DOCUMENTATION = r"""
name: left_out_servers
short_description: The servers that should take part in a run beside this one
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Gives the servers that share a split domain with a server and do not take part in a run, for example because of
    C(--limit).
  - If mailboxes move and only some of the servers learn it, the other servers reject mail for them as a loop.
positional: _input, host, taking_part
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  host:
    description: The inventory name of the server.
    type: str
    required: true
  taking_part:
    description: The inventory names of the servers that take part, such as C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show who is left out
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.left_out_servers('mx1.example.com', ['mx1.example.com']) }}"
  vars:
    split_domains:
      - domain: example.com
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net]}
"""

RETURN = r"""
_value:
  description: Inventory names, sorted; empty when everybody takes part.
  type: list
  elements: str
"""


def left_out_servers(split_domains: Any, host: str, taking_part: list[str]) -> list[str]:
    """Give the servers, or the failure as Ansible expects it from a filter."""
    try:
        return list(servers_left_out_of(parse_split_map(split_domains), host, taking_part))
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"left_out_servers": left_out_servers}
