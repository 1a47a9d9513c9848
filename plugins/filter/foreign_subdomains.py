# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter foreign_subdomains.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map import server_plan
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map

DOCUMENTATION = r"""
name: foreign_subdomains
short_description: Subdomains of the split map whose MX records others publish
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Gives the subdomains that addresses are rewritten to, without those whose MX sets are published from the map.
positional: _input, publishing
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  publishing:
    description: Whether the MX sets of the map are published, that is, C(split_domain_dns) is given.
    type: bool
    required: true
"""

EXAMPLES = r"""
- name: Show whose MX records have to be there
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.foreign_subdomains(true) }}"
"""

RETURN = r"""
_value:
  description: The subdomains, in the order of the split map.
  type: list
  elements: str
"""


def foreign_subdomains(split_domains: Any, publishing: bool) -> list[str]:
    """Give the subdomains, or the failure as Ansible expects it from a filter."""
    try:
        return server_plan.foreign_subdomains(parse_split_map(split_domains), publishing)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"foreign_subdomains": foreign_subdomains}
