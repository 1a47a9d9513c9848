# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter server_passwords.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import password_arguments

DOCUMENTATION = r"""
name: server_passwords
short_description: The passwords that one mail server logs in with at the relays of other sites
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Picks the passwords that one server needs out of the split map. P(mailops.split_domain.server_plan#filter) gives
    everything but these, so that its result may be shown.
  - Use it in a task of P(mailops.split_domain.split_domains#module) itself, which hides them. A variable that holds
    its result needs C(no_log).
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
- name: Set up this server, and let it log in at the relays that want that
  mailops.split_domain.split_domains:
    domains: "{{ (split_domains | mailops.split_domain.server_plan('mx1.example.com')).domains }}"
    passwords: "{{ split_domains | mailops.split_domain.server_passwords('mx1.example.com') }}"
  vars:
    split_domains:
      - domain: example.com
        sites:
          - {name: hq, role: master, hosts: [mx1.example.com]}
          - name: hosted
            clients: [203.0.113.0/28]
            relay:
              host: 203.0.113.25
              port: 587
              tls: encrypt
              username: example
              password: "{{ vault_hosted_password }}"
"""

RETURN = r"""
_value:
  description: The option O(mailops.split_domain.split_domains#module:passwords).
  type: list
  elements: dict
"""


def server_passwords(split_domains: Any, host: str) -> list[dict[str, Any]]:
    """Give the passwords, or the failure as Ansible expects it from a filter."""
    try:
        return password_arguments(split_domains, host)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, split_domains)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"server_passwords": server_passwords}
