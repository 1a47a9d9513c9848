# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter server_plan.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments

DOCUMENTATION = r"""
name: server_plan
short_description: What one mail server has to do for the split domains
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Compiles the split map and the name of a server to the arguments of P(mailops.split_domain.split_domains#module)
    and P(mailops.split_domain.recipient_routes#module).
  - Reads and checks the directories of the server's domains on the controller, so that a fault in them is found
    before anything is written on any server.
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
  role:
    description: Only the domains in which the server has this role. All domains when omitted.
    type: str
    choices:
      - master
      - slave
  search:
    description:
      - Folders on the controller below which relative paths of directories are looked for, in this order.
      - The current folder when omitted.
    type: list
    elements: path
    default: []
  rewriting:
    description:
      - Whether addresses are rewritten to the subdomains of their sites. When V(false), they are routed to the relays
        of these sites, as may be done until the subdomains take mail.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show what this server has to do
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.server_plan('mx1.example.com') }}"
  vars:
    split_domains:
      - domain: example.com
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com], unknown: cloud}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net], unknown: hq}
"""

RETURN = r"""
_value:
  description: The arguments for the server, empty lists for a server of no site.
  type: dict
  contains:
    domains:
      description: The option O(mailops.split_domain.split_domains#module:domains).
      type: list
      elements: dict
    routes:
      description: The arguments of one P(mailops.split_domain.recipient_routes#module) task for each domain.
      type: list
      elements: dict
"""


def server_plan(
    split_domains: Any,
    host: str,
    role: str | None = None,
    search: list[str] | None = None,
    rewriting: bool = True,
) -> dict[str, list[dict[str, Any]]]:
    """Give the plan, or the failure as Ansible expects it from a filter."""
    try:
        return server_arguments(split_domains, host, role or None, search or (), rewriting)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"server_plan": server_plan}
