# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter subdomain_probes.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map import subdomains

DOCUMENTATION = r"""
name: subdomain_probes
short_description: What to ask sites that are not managed before addresses are rewritten to their subdomains
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Compiles the split map to the arguments of one P(mailops.split_domain.smtp_probe#module) task for each exchange of
    the subdomain of a site without C(hosts), where the server does not know that subdomain yet.
  - Each exchange is asked for up to three of the site's users in the subdomain, and for a random address.
  - Where the map does not name the MX set of the subdomain, the relay of the site is asked.
positional: _input, domains
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  domains:
    description: RV(mailops.split_domain.split_domains#module:domains) of a run in check mode.
    type: list
    elements: dict
    required: true
  search:
    description:
      - Folders on the controller below which relative paths of directories are looked for, in this order.
      - The current folder when omitted.
    type: list
    elements: path
    default: []
seealso:
  - plugin: mailops.split_domain.subdomain_objections
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what the hosted service would be asked
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.subdomain_probes(fit.domains) }}"
"""

RETURN = r"""
_value:
  description:
    - The arguments C(host), C(port) and C(recipients) of one task for each exchange, with the C(subdomain) and a
      C(checklist) of what has to be done at the site.
  type: list
  elements: dict
"""


def subdomain_probes(
    split_domains: Any, domains: list[dict[str, Any]], search: list[str] | None = None
) -> list[dict[str, Any]]:
    """Give the probes, or the failure as Ansible expects it from a filter."""
    try:
        return subdomains.subdomain_probe_arguments(split_domains, domains, search or ())
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"subdomain_probes": subdomain_probes}
