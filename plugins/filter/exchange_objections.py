# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The filter exchange_objections.

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchange_check import exchange_objections

DOCUMENTATION = r"""
name: exchange_objections
short_description: What forbids to publish MX sets, by what their exchanges answered
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Judges the answers to the questions that P(mailops.split_domain.exchange_probes#filter) gives.
  - An exchange must be reachable on port 25 and must not answer 5yz at once. A server that says C(4yz) accepts mail,
    only not now.
  - An exchange of the lowest preference must not reject every recipient of the domain that it was asked for.
    That is C(5yz), and C(454 4.7.1), by which Postfix on Debian tells strangers that it does not serve a domain.
positional: _input, answers
options:
  _input:
    description: The result of P(mailops.split_domain.mx_records#module) in check mode, or of that task when skipped.
    type: dict
    required: true
  answers:
    description: The C(results) of a P(mailops.split_domain.smtp_probe#module) task with C(loop), failed ones included.
    type: list
    elements: dict
    required: true
seealso:
  - plugin: mailops.split_domain.exchange_probes
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what forbids to publish the set
  ansible.builtin.debug:
    msg: "{{ predicted | mailops.split_domain.exchange_objections(answers) }}"
  vars:
    predicted:
      record_sets:
        - name: example.com
          zone: example.com
          before: {ttl: null, mx: []}
          after: {ttl: 3600, mx: [{preference: 10, exchange: mx1.example.com}]}
          changed: true
      exchanges: []
    answers:
      - item: {host: mx1.example.com}
        failed: true
        msg: "nothing listens on mx1.example.com port 25 (connection refused)"
"""

RETURN = r"""
_value:
  description: One sentence for each objection, an empty list when the sets can be published.
  type: list
  elements: str
"""


class FilterModule:
    """The filter, as Ansible loads it."""

    def filters(self) -> dict[str, Any]:
        """Give the filter by name."""
        return {"exchange_objections": exchange_objections}
