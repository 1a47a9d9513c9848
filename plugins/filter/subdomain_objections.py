# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter subdomain_objections.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map import subdomains

DOCUMENTATION = r"""
name: subdomain_objections
short_description: Which sites do not accept mail for their subdomains yet, and what has to be done there
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Judges the answers to the questions that P(mailops.split_domain.subdomain_probes#filter) gives. All users must be
    accepted, and the random address must be rejected.
options:
  _input:
    description: The C(results) of a P(mailops.split_domain.smtp_probe#module) task with C(loop), failed ones included.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: mailops.split_domain.subdomain_probes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what has to be done at sites that are not managed
  ansible.builtin.debug:
    msg: "{{ answers.results | mailops.split_domain.subdomain_objections }}"
"""

RETURN = r"""
_value:
  description: A sentence and the checklist for each exchange that is not ready.
  type: list
  elements: str
"""


def subdomain_objections(answers: list[dict[str, Any]]) -> list[str]:
    """Give the sentences, or the failure as Ansible expects it from a filter."""
    try:
        return subdomains.subdomain_objections(answers)
    except SplitDomainError as error:
        raise AnsibleFilterError(told(error, answers)) from None


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"subdomain_objections": subdomain_objections}
