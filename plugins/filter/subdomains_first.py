# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter subdomains_first.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map import subdomains

DOCUMENTATION = r"""
name: subdomains_first
short_description: The split settings that only add the subdomains that come
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - A site takes mail for its subdomain before other sites rewrite addresses to it. This gives the arguments of the
    P(mailops.split_domain.split_domains#module) task that does so on a server whose domains are split already.
  - Fails when a subdomain would become another one. The old one has to be taken out of the map first.
options:
  _input:
    description: RV(mailops.split_domain.split_domains#module:domains) of a run in check mode.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Add subdomains before anything else changes
  mailops.split_domain.split_domains:
    domains: "{{ fit.domains | mailops.split_domain.subdomains_first }}"
"""

RETURN = r"""
_value:
  description: The settings of each domain as they are, with the subdomains that come. Other domains are left out.
  type: list
  elements: dict
"""


def subdomains_first(domains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the settings, or the failure as Ansible expects it from a filter."""
    try:
        return subdomains.subdomains_first(domains)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"subdomains_first": subdomains_first}
