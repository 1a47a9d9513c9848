# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter server_roles.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import roles_of_host
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map

DOCUMENTATION = r"""
name: server_roles
short_description: The roles that a mail server has in the split map
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Tells in which roles a server takes part in any of the split domains.
  - A server may be master of one domain and slave of another.
positional: _input, host
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
"""

EXAMPLES = r"""
- name: Show the roles of a server
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.server_roles('mx1.example.com') }}"
  vars:
    split_domains:
      - domain: example.com
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net]}
"""

RETURN = r"""
_value:
  description: V(master), V(slave), both or none, sorted.
  type: list
  elements: str
"""


def server_roles(split_domains: Any, host: str) -> list[str]:
    """Give the roles, or the failure as Ansible expects it from a filter."""
    try:
        return list(roles_of_host(parse_split_map(split_domains), host))
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"server_roles": server_roles}
