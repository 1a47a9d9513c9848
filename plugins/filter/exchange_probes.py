# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter exchange_probes.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import exchange_probe_arguments

DOCUMENTATION = r"""
name: exchange_probes
short_description: What to ask the exchanges of MX sets before the sets are published
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Compiles the split map and what P(mailops.split_domain.mx_records#module) would do to the arguments of one
    P(mailops.split_domain.smtp_probe#module) task for each exchange of a set with new records.
  - Each exchange is asked for C(postmaster) and for an address of each site, three at most, of every domain that names
    it. A subdomain of a site is asked for with an address that lives on the site.
  - Sets of which only the TTL would change, null MX and sets that would be removed need no question.
positional: _input, published
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  published:
    description: The result of P(mailops.split_domain.mx_records#module) in check mode, or of that task when skipped.
    type: dict
    required: true
  search:
    description:
      - Folders on the controller below which relative paths of directories are looked for, in this order.
      - The current folder when omitted.
    type: list
    elements: path
    default: []
seealso:
  - plugin: mailops.split_domain.exchange_objections
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what would be asked of the exchange
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.exchange_probes(predicted) }}"
  vars:
    split_domains:
      - domain: example.com
        directory:
          - {address: bob@example.com, site: cloud}
        mx:
          - {preference: 10, exchange: mx1.example.com}
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net]}
    predicted:
      record_sets:
        - name: example.com
          zone: example.com
          before: {ttl: null, mx: []}
          after: {ttl: 3600, mx: [{preference: 10, exchange: mx1.example.com}]}
          changed: true
      exchanges:
        - {exchange: mx1.example.com, addresses: [192.0.2.25]}
"""

RETURN = r"""
_value:
  description: The arguments C(host), C(addresses) and C(recipients) of one task for each exchange.
  type: list
  elements: dict
"""


def exchange_probes(
    split_domains: Any, published: dict[str, Any], search: list[str] | None = None
) -> list[dict[str, Any]]:
    """Give the probes, or the failure as Ansible expects it from a filter."""
    try:
        return exchange_probe_arguments(split_domains, published, search or ())
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"exchange_probes": exchange_probes}
