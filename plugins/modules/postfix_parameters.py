#!/usr/bin/python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module postfix_parameters.

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_parameters
short_description: Set many parameters of Postfix's main.cf at once
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Sets whole values, adds and removes single elements of lists, and removes parameters, all in one step. Comments,
    order and everything else in C(main.cf) stay as they are.
  - The new C(main.cf) is checked by Postfix in a directory aside before it takes the place of the old one. Numbers,
    times, C(yes)/C(no) and types of lookup tables are checked beyond that, since C(postfix check) does not look at
    those that only one of Postfix's daemons reads.
  - Reloads a running Postfix, or restarts it where a parameter asks for that, and only when something changed.
requirements:
  - Postfix 3.4 or newer on the managed server
options:
  parameters:
    description:
      - Whole values by name. A list is written with commas, V(true) and V(false) as C(yes) and C(no).
      - A value that C(main.cf) has already in another spelling stays as it is, be it other separators in a list or
        other case of yes and no.
    type: dict
    default: {}
  elements:
    description:
      - Elements of lists to be added or removed. The other elements stay as they are.
      - A list that C(main.cf) does not set begins with its default.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The parameter's name.
        type: str
        required: true
      elements:
        description: The elements, such as C(lmdb:/etc/postfix/transport) or C(check_client_access cidr:/etc/postfix/c).
        type: list
        elements: str
        required: true
      state:
        description: Whether the list shall have the elements.
        type: str
        choices:
          - present
          - absent
        default: present
      position:
        description: Where elements go that are not there yet. One that is there stays where it is.
        type: str
        choices:
          - first
          - last
        default: last
  removed:
    description: Parameters that C(main.cf) must not set. Their defaults take effect.
    type: list
    elements: str
    default: []
  allow_unknown:
    description:
      - Allows parameters that Postfix does not have, and that no value in C(main.cf) or C(master.cf) refers to.
        Otherwise they are rejected, because most of them are misspelled.
      - Restriction classes and parameters used as C($name) need no permission.
    type: bool
    default: false
  reload:
    description:
      - V(auto) reloads or restarts a running Postfix when that is due.
      - V(never) does not reload. A note on the server stays, and the next task with V(auto) reloads or restarts.
    type: str
    choices:
      - auto
      - never
    default: auto
  config_directory:
    description: Where the configuration of the Postfix instance is.
    type: path
    default: /etc/postfix
extends_documentation_fragment:
  - mailops.split_domain.locking_module
  - mailops.split_domain.changing_module
seealso:
  - module: mailops.split_domain.postfix_map
"""

EXAMPLES = r"""
- name: Set some parameters
  mailops.split_domain.postfix_parameters:
    parameters:
      myhostname: mx1.example.com
      message_size_limit: 52428800
      smtpd_helo_required: true
      mynetworks: [127.0.0.0/8, "[::1]/128"]

- name: Look into one more table before all others
  mailops.split_domain.postfix_parameters:
    elements:
      - name: transport_maps
        elements: ["lmdb:/etc/postfix/transport"]
        position: first

- name: Go back to the defaults
  mailops.split_domain.postfix_parameters:
    removed:
      - smtpd_banner
      - relayhost
"""

RETURN = r"""
installed:
  description:
    - Whether there is a Postfix. V(false) is possible in check mode only, and then the only value besides C(changed),
      which is V(true).
  returned: success
  type: bool
parameters:
  description: By name, what C(main.cf) had and has. Null is for a parameter that it does not set.
  returned: when installed
  type: dict
  sample:
    relayhost: {before: "[mx.example.net]", after: null, changed: true}
due:
  description: What a running Postfix needed to take the change in. It was done unless O(reload=never).
  returned: when installed
  type: str
  sample: reload
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.postfix_parameters import set_parameters

LIST_CHANGE = {
    "name": {"type": "str", "required": True},
    "elements": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "position": {"type": "str", "choices": ["first", "last"], "default": "last"},
}


def main() -> None:
    """Run the module."""
    run_module(
        {
            "parameters": {"type": "dict", "default": {}},
            "elements": {"type": "list", "elements": "dict", "options": LIST_CHANGE, "default": []},
            "removed": {"type": "list", "elements": "str", "default": []},
            "allow_unknown": {"type": "bool", "default": False},
            "reload": {"type": "str", "choices": ["auto", "never"], "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "lock_timeout": {"type": "float", "default": 30.0},
        },
        set_parameters,
    )


if __name__ == "__main__":
    main()
