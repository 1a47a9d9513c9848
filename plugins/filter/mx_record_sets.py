# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter mx_record_sets.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map import server_plan
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map

DOCUMENTATION = r"""
name: mx_record_sets
short_description: The MX record sets that the split map asks for
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Gives the option O(mailops.split_domain.mx_records#module:record_sets) for all domains of a split map that
    have C(mx), and for the subdomains of their sites.
  - The set of a subdomain is C(subdomain_mx), or when that is missing the relay of its site. A subdomain outside of
    the domain has a set only by C(subdomain_mx).
  - Domains without C(mx) and domains with C(state=absent) are left out, so their MX records stay as they are.
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  of:
    description: Whose sets to give.
    type: str
    choices:
      - all
      - domains
      - subdomains
    default: all
"""

EXAMPLES = r"""
- name: Show the MX record sets
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.mx_record_sets }}"
  vars:
    split_domains:
      - domain: example.com
        mx:
          - {preference: 10, exchange: mx1.example.com}
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net]}
"""

RETURN = r"""
_value:
  description: The record sets, in the order of the split map.
  type: list
  elements: dict
"""


def mx_record_sets(split_domains: Any, of: str = "all") -> list[dict[str, Any]]:
    """Give the record sets, or the failure as Ansible expects it from a filter."""
    try:
        return server_plan.mx_record_sets(parse_split_map(split_domains), of)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"mx_record_sets": mx_record_sets}
