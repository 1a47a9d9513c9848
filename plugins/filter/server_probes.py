# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter server_probes.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import probe_arguments

DOCUMENTATION = r"""
name: server_probes
short_description: What one mail server can ask the other sites to verify the split
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Compiles the split map and the name of a server to the arguments of one
    P(mailops.split_domain.smtp_probe#module) task for each relay of another site.
  - The verification address of the site and some addresses of the directory that live there are expected to be
    accepted.
  - A random address is expected to be rejected by managed sites, and by the site that unknown recipients are forwarded
    to. A site with a verification address is not asked about it, because P(mailops.split_domain.split_domains#module)
    has already asked.
positional: _input, host
options:
  _input:
    description: The split map, a list of domains, in the shape of the inventory variable C(split_domains).
    type: list
    elements: dict
    required: true
  host:
    description: The inventory name of the server that asks.
    type: str
    required: true
  sample:
    description: How many addresses of each site are asked for.
    type: int
    default: 5
  search:
    description:
      - Folders on the controller below which relative paths of directories are looked for, in this order.
      - The current folder when omitted.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Show what this server would ask the other sites
  ansible.builtin.debug:
    msg: "{{ split_domains | mailops.split_domain.server_probes('mx1.example.com', sample=2) }}"
  vars:
    split_domains:
      - domain: example.com
        directory:
          - {address: bob@example.com, site: cloud}
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - {name: cloud, role: slave, hosts: [mx.cloud.example.net]}
"""

RETURN = r"""
_value:
  description:
    - The arguments of one task for each relay, C(host), C(port), C(recipients) and the relay's TLS policy with all that
      belongs to it.
  type: list
  elements: dict
"""


def server_probes(
    split_domains: Any, host: str, sample: int = 5, search: list[str] | None = None
) -> list[dict[str, Any]]:
    """Give the probes, or the failure as Ansible expects it from a filter."""
    try:
        return probe_arguments(split_domains, host, int(sample), search or ())
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"server_probes": server_probes}
