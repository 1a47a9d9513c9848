#!/usr/bin/python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module postfix_map.

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_map
short_description: Keep one Postfix lookup table, its text and its index
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Keeps the text of one lookup table, and the index that C(postmap) builds from it, in one step that lookups never see
    half done.
  - Finds and repairs an index that is lost, empty, unreadable, older than its text, or says something else, and what a
    killed run left behind.
  - Writes single entries into an V(lmdb) index if this is cheaper than building it again. Reloads Postfix only if
    running processes would not see the change by themselves.
requirements:
  - Postfix 3.4 or newer on the managed server
options:
  path:
    description:
      - The table's text on the server, without the suffix of the index. Its directory must be there.
      - Rejected if other users than root and this task's user can write in the directory or in a directory above it,
        because they could replace the index by a symbolic link.
    type: path
    required: true
  type:
    description:
      - The type of the table, one of V(lmdb), V(hash), V(btree), V(cdb), V(texthash), V(cidr), V(regexp) and V(pcre).
      - When omitted, V(lmdb) where this Postfix has it, else its C(default_database_type). RV(table) says what it is.
    type: str
  entries:
    description:
      - The entries, as a mapping of keys to values, or as a list of mappings with C(key) and C(value). With
        O(state=absent) values are not looked at, and a list of keys is enough.
      - Keys are written in lower case, since lookups ignore their case.
      - Not for V(regexp) and V(pcre).
    type: raw
  secret_entries:
    description: The same as O(entries), for secret values. Hides them from all output, and sets O(secret).
    type: raw
  content:
    description: The whole text of the table.
    type: str
  src:
    description:
      - A file B(on the managed server) that has the whole text of the table. A symbolic link is followed only where
        nobody else than root and this task's user can write beside it.
    type: path
  state:
    description:
      - V(present) adds or changes the given entries, V(absent) removes them. Comments, order and everything else stay.
      - V(exact) leaves the table with the given entries and no others. A table that has them already stays as it is.
      - With O(content) and O(src), V(present) and V(exact) both mean the whole text.
      - V(removed) removes the table and its index. Rejected while C(main.cf) or C(master.cf) refers to it.
    type: str
    choices:
      - exact
      - present
      - absent
      - removed
    default: present
  secret:
    description:
      - Hides values in the diff and in the result, and gives text and index the mode V(0600) unless O(mode) is given.
      - Values of a table that only its owner may read, now or by O(mode), are hidden in any case.
      - O(entries) and O(content) are hidden as well where Ansible shows what a task was given. Of keys those are shown
        that are a place such as V([smtp.example.net]:587), a domain or an address.
    type: bool
    default: false
  owner:
    description: The owner of text and index, as name or number. When omitted, what is there stays.
    type: str
  group:
    description: The group of text and index, as name or number. When omitted, what is there stays.
    type: str
  mode:
    description: The mode of text and index as octal number in quotes. When omitted, what is there stays, or V(0644).
    type: raw
  reload:
    description:
      - V(auto) reloads a running Postfix when that is due.
      - V(never) does not reload. A note on the server stays, and the next task with V(auto) reloads.
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
  - module: mailops.split_domain.postfix_parameters
"""

EXAMPLES = r"""
- name: Send two domains to other hosts
  mailops.split_domain.postfix_map:
    path: /etc/postfix/transport
    entries:
      example.net: "smtp:[mx.example.net]:25"
      example.org: "smtp:[mx.example.org]:25"
  register: transport

- name: Use the table with the type that it has on this server
  mailops.split_domain.postfix_parameters:
    elements:
      - name: transport_maps
        elements: ["{{ transport.table }}"]

- name: Keep exactly these senders out
  mailops.split_domain.postfix_map:
    path: /etc/postfix/sender_access
    state: exact
    entries:
      - {key: spam@example.com, value: REJECT}

- name: Keep the password of the smarthost where only root can read it
  mailops.split_domain.postfix_map:
    path: /etc/postfix/sasl_passwd
    secret_entries:
      "[smtp.example.net]:587": "user:{{ vault_smarthost_password }}"

- name: Take one entry out
  mailops.split_domain.postfix_map:
    path: /etc/postfix/transport
    state: absent
    entries: [example.org]

- name: Remove a table that nothing uses any more
  mailops.split_domain.postfix_map:
    path: /etc/postfix/sender_access
    state: removed
"""

RETURN = r"""
installed:
  description:
    - Whether there is a Postfix. V(false) is possible in check mode only, and then the only value besides C(changed),
      which is V(true).
  returned: success
  type: bool
file:
  description: The table's text.
  returned: when installed
  type: str
  sample: /etc/postfix/transport
type:
  description: The table's type.
  returned: when installed
  type: str
  sample: lmdb
table:
  description: The table as main.cf refers to it.
  returned: when installed
  type: str
  sample: lmdb:/etc/postfix/transport
index:
  description: The index built from the text; null for a type without one.
  returned: when installed
  type: str
  sample: /etc/postfix/transport.lmdb
reasons:
  description: What was found that had to be changed; empty when nothing was.
  returned: when installed
  type: list
  elements: str
  sample: ["the text differs"]
due:
  description: What a running Postfix needed to see the change. It was done unless O(reload=never).
  returned: when installed
  type: str
  sample: none
counts:
  description: How many entries the table has.
  returned: when installed, for tables of keys and values
  type: dict
  contains:
    before:
      description: Entries before the task.
      type: int
    after:
      description: Entries after it.
      type: int
    added:
      description: Keys that had no value before.
      type: int
    changed:
      description: Keys that had another value before.
      type: int
    removed:
      description: Keys that have no value any more.
      type: int
changes:
  description: The first hundred keys whose value is another, sorted.
  returned: when installed, for tables of keys and values
  type: list
  elements: dict
  contains:
    key:
      description: The lookup key in lower case.
      type: str
      sample: example.net
    before:
      description: The value that was found; null for none, C(********) for a secret.
      type: str
    after:
      description: The value that was left; null for none, C(********) for a secret.
      type: str
      sample: "smtp:[mx.example.net]:25"
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.postfix_map import keep_table
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.secret_tables import (
    secrets_of_table,
)


def main() -> None:
    """Run the module."""
    run_module(
        {
            "path": {"type": "path", "required": True},
            "type": {"type": "str"},
            "entries": {"type": "raw"},
            "secret_entries": {"type": "raw", "no_log": True},
            "content": {"type": "str"},
            "src": {"type": "path"},
            "state": {"type": "str", "choices": ["exact", "present", "absent", "removed"], "default": "present"},
            "secret": {"type": "bool", "default": False, "no_log": False},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "raw"},
            "reload": {"type": "str", "choices": ["auto", "never"], "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "lock_timeout": {"type": "float", "default": 30.0},
        },
        keep_table,
        secrets_of_table,
        mutually_exclusive=[("entries", "secret_entries", "content", "src")],
    )


if __name__ == "__main__":
    main()
