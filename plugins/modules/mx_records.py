#!/usr/bin/python

# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The door of mx_records: its documentation, its arguments and one call.

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_records
short_description: Publish MX record sets through DNS updates or in a zone file
version_added: 0.1.0
description:
  - Brings the MX record sets of any number of names in any number of zones to the wanted state, through dynamic updates
    (RFC 2136) signed with TSIG (RFC 8945).
  - All questions of a task are pipelined over one TCP connection. Everything that changes in one zone is written in one
    update message (more only beyond 65,535 octets), so that a zone is never seen half changed.
  - Each update requires that the sets are as they were read. If another client changes one in between, nothing of the
    message is written, and the sets are read, compared and sent again, up to ten times.
  - Everything written is read back.
  - An error of the server, a missing signature or a timeout is always a failure, in check mode too, and never treated
    as a set that does not exist.
  - All input is checked before anything is written. Rejected are a preference outside 0 to 65535, an exchange that is
    an IP address or no host name, an exchange that the server knows to be an alias (RFC 2181), a null MX beside
    other records (RFC 7505), a name that is itself an alias, and a key secret that is not base64.
  - With O(zone_file) the sets of one zone are brought to the same states in its file, for a zone that takes no updates.
    Comments, order and spelling of everything else stay as they are, the serial rises (RFC 1982) in the same write,
    C(named-checkzone) must take the new text before it replaces the file in one step, and the server is told.
  - Values are compared in one form, so that case, a trailing dot, the order of records, the spelling of a
    preference and the form of an internationalised name make no difference.
extends_documentation_fragment:
  - mailops.split_domain.dns_server
  - mailops.split_domain.locking_module
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what it would do, and whether the server would take it.
  diff_mode:
    support: full
    description: Shows the sets of each zone before and after, as lines of a zone file, or with O(zone_file) the file.
  idempotent:
    support: full
    description: A second run changes nothing, however the values are spelled.
requirements:
  - dnspython >= 2.6 on the host that runs the module, with O(server)
  - C(named-checkzone) of BIND on the host that runs the module, with O(zone_file)
options:
  zone_file:
    description:
      - Absolute path of the zone file to change, on the host that runs the module. Give this or O(server); the options
        of the server and its key are then not used.
      - All O(record_sets) are of the one zone of this file. It is the one that O(record_sets[].zone) names, or else the
        owner of the file's SOA record, where that is absolute or stands behind an absolute C($ORIGIN).
      - A line that stays is not touched. A new record stands beside the others of its set and is spelled like them, or
        behind the last record of its name, or at the end. Only where a line has its owner or TTL from one that goes, it
        is spelled out there.
      - The serial grows by one, or in the form YYYYMMDDnn to today's date, or in seconds since 1970 to now, where that
        is more.
      - Rejected, before anything is written, are a zone under dynamic update or a secondary zone (as C(rndc zonestatus)
        or a journal beside the file says), MX records of the set or the SOA record in a file that C($INCLUDE) names,
        and a name that C($GENERATE) may make.
      - The name server may have write access to the file's folder. A symbolic link is followed only if no other user
        than root and this task's user can write beside it. A file that is not a regular file is rejected.
      - A lock separates two runs. If another program changes the file in between, it is read and planned again, up to
        five times.
    type: path
  reload_command:
    description:
      - The command that tells the server to load the zone again, with the name of the zone as its last argument. It
        runs with O(zone_file) only, without a shell, and only after a change.
      - For Knot DNS it is V([knotc, zone-reload]). With an empty list the server is not told.
      - When it fails, so does the module. The file is written then, and a file with the ending C(.reload-pending)
        beside it makes the next run tell the server.
      - With C(rndc ... reload) the module returns when C(rndc zonestatus) tells the new serial.
    type: list
    elements: str
    default: [rndc, reload]
  record_sets:
    description:
      - The MX record sets, each name once.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name that the set belongs to. It is absolute with and without a trailing dot.
          - V(@) is the apex of O(record_sets[].zone). The first label may be V(*).
          - A name with other characters than ASCII is turned into its A-labels if IDNA2003 and IDNA2008 agree.
            Otherwise it is rejected.
        type: str
        required: true
      zone:
        description:
          - The zone that holds the name. The module fails when the server has the name in another zone.
          - Without it the zone is found by its SOA record, on the server or in the file.
        type: str
      state:
        description:
          - V(exact) makes O(record_sets[].mx) the whole set; with an empty list it removes the set.
          - V(present) adds the records and leaves others alone.
          - V(absent) removes these records, which may be malformed, and leaves others alone.
        type: str
        choices: [exact, present, absent]
        default: exact
      ttl:
        description:
          - The TTL of the whole set in seconds, as RFC 2181 wants it. Not used with V(absent).
          - Without it an existing set keeps its TTL and a new one gets 3600.
        type: int
      mx:
        description:
          - The MX records.
        type: list
        elements: dict
        required: true
        suboptions:
          preference:
            description:
              - The preference, from 0 to 65535. The exchange with the lowest is tried first.
              - Any decimal spelling of a number is the same. Mind that YAML reads C(010) without quotes as eight.
            type: int
            required: true
          exchange:
            description:
              - The host name of the mail exchanger. It is absolute with and without a trailing dot.
              - V(.) with preference 0 is the null MX (RFC 7505), a domain that accepts no mail.
            type: str
            required: true
  allow_removal:
    description:
      - Whether a name may be left without any MX record that has one now, and whether more than O(removal_share) of the
        sets may lose records. Without it such a task fails before anything is written.
      - The null MX is a record. Giving it instead of others is no removal.
    type: bool
    default: false
  removal_share:
    description:
      - Without O(allow_removal), the largest share of the sets of a task that may lose records and get none in their
        place, from 0 to 1. Counted where the task finds ten sets or more.
    type: float
    default: 0.3
  wait:
    description:
      - Return only when every server in the NS set of each zone gives the new sets, at each of its addresses, asked
        unsigned over TCP on port 53. All are asked at the same time.
      - An address that this host has no way to, as an IPv6 address without IPv6, is left out with a warning where the
        server has another one.
      - In check mode there is nothing to wait for. Not with O(zone_file), which knows no server to ask.
    type: bool
    default: false
  wait_servers:
    description:
      - Further servers for O(wait), by name or address, which no NS set names, as a hidden primary. They are to give
        the sets of all zones of the task.
    type: list
    elements: str
    default: []
  wait_timeout:
    description:
      - So many seconds at most may O(wait) take. The module then fails, says what each server gives that is behind, and
        returns RV(servers) all the same. What is written stays.
    type: float
    default: 120.0
notes:
  - In check mode the server is asked by an update that requires the same as the real one and deletes a record that does
    not exist. It writes nothing, and shows whether the server would take the update.
  - Exchanges are looked up on O(server) or in O(zone_file) only, and not recursively. An alias that is not known there
    is not found.
author:
  - The mailops.split_domain developers (@mailops)
"""

EXAMPLES = r"""
- name: Publish the MX records of two domains
  mailops.split_domain.mx_records:
    server: 192.0.2.53
    key_name: mail-update.
    key_secret: "{{ vault_dns_key }}"
    record_sets:
      - name: example.com
        ttl: 300
        mx:
          - {preference: 10, exchange: mx1.example.com}
          - {preference: 20, exchange: mx2.example.com}
      - name: example.net
        mx:
          - {preference: 10, exchange: mx1.example.com}

- name: Add a backup exchanger and leave the others alone
  mailops.split_domain.mx_records:
    server: 192.0.2.53
    key_file: /etc/bind/mail-update.key
    record_sets:
      - name: "@"
        zone: example.com
        state: present
        mx:
          - {preference: 50, exchange: backup.example.net}

- name: Publish that a domain accepts no mail, and remove the set of another domain
  mailops.split_domain.mx_records:
    server: 192.0.2.53
    key_name: mail-update.
    key_secret: "{{ vault_dns_key }}"
    allow_removal: true
    record_sets:
      - name: www.example.com
        mx:
          - {preference: 0, exchange: .}
      - name: old.example.com
        mx: []

- name: Remove one exchanger and wait until every authoritative server shows it
  mailops.split_domain.mx_records:
    server: 192.0.2.53
    key_name: mail-update.
    key_secret: "{{ vault_dns_key }}"
    wait: true
    wait_servers: [192.0.2.54]
    wait_timeout: 300
    record_sets:
      - name: example.com
        state: absent
        mx:
          - {preference: 20, exchange: mx2.example.com}

- name: Change the MX records in a zone file, for BIND without dynamic updates
  mailops.split_domain.mx_records:
    zone_file: /etc/bind/db.example.org
    reload_command: [rndc, reload]
    record_sets:
      - name: "@"
        zone: example.org
        mx:
          - {preference: 10, exchange: mx1.example.org}
"""

RETURN = r"""
record_sets:
  description:
    - What was found and what was left, in the order of O(record_sets). Names, zones and exchanges are in canonical
      form, as A-labels in lower case without a trailing dot.
    - RV(record_sets[].before) fits into O(record_sets), so that a change can be undone.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: example.com
    zone:
      description: The zone that holds it.
      type: str
      sample: example.com
    before:
      description: The set as it was found.
      type: dict
      sample: {ttl: null, mx: []}
      contains:
        ttl:
          description: The TTL in seconds, or null when there was no set.
          type: int
        mx:
          description: The records, by preference and exchange.
          type: list
          elements: dict
    after:
      description: The set as it was left, or in check mode would have been left.
      type: dict
      sample: {ttl: 300, mx: [{preference: 10, exchange: mx1.example.com}]}
      contains:
        ttl:
          description: The TTL in seconds, or null when there is no set.
          type: int
        mx:
          description: The records, by preference and exchange.
          type: list
          elements: dict
    changed:
      description: Whether the two differ.
      type: bool
      sample: true
exchanges:
  description: The exchanges that O(record_sets) names, but for those of sets with O(record_sets[].state=absent).
  returned: success
  type: list
  elements: dict
  contains:
    exchange:
      description: The host name.
      type: str
      sample: mx1.example.com
    addresses:
      description: The addresses that O(server) or O(zone_file) has for it, none where its zone is another.
      type: list
      elements: str
      sample: [192.0.2.25]
serial:
  description: The serial of the zone, as it was found and as it was left or would have been left.
  returned: with O(zone_file)
  type: dict
  sample: {before: 2026112100, after: 2026112101}
  contains:
    before:
      description: The serial found.
      type: int
    after:
      description: The serial left; the same where nothing was written.
      type: int
servers:
  description: What each server said last that O(wait) waits for.
  returned: without O(zone_file), when O(wait) failed too; empty without O(wait)
  type: list
  elements: dict
  contains:
    zones:
      description: The zones that it was asked about.
      type: list
      elements: str
      sample: [example.com]
    server:
      description: Its name in the NS set, or as O(wait_servers) gives it.
      type: str
      sample: ns2.example.com
    address:
      description: The address that was asked, or null where none was found.
      type: str
      sample: 192.0.2.54
    agrees:
      description: Whether it gives all sets as they are to be, or null where this host has no way to the address.
      type: bool
      sample: false
    said:
      description: What it said, as a clause.
      type: str
      sample: "gives for example.com: 10 mx1.example.com (TTL 3600)"
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import ALGORITHMS
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX_RECORD = {
    "preference": {"type": "int", "required": True},
    "exchange": {"type": "str", "required": True},
}
RECORD_SET = {
    "name": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "state": {"type": "str", "choices": ["exact", "present", "absent"], "default": "exact"},
    "ttl": {"type": "int"},
    "mx": {"type": "list", "elements": "dict", "required": True, "options": MX_RECORD},
}
ARGUMENTS = {
    "server": {"type": "str"},
    "port": {"type": "int", "default": 53},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "timeout": {"type": "float", "default": 10.0},
    "key_name": {"type": "str"},
    "key_secret": {"type": "str", "no_log": True},
    "key_algorithm": {"type": "str", "choices": list(ALGORITHMS)},
    "key_file": {"type": "path", "no_log": False},
    "zone_file": {"type": "path"},
    "reload_command": {"type": "list", "elements": "str", "default": ["rndc", "reload"]},
    "lock_timeout": {"type": "float", "default": 30.0},
    "record_sets": {"type": "list", "elements": "dict", "required": True, "options": RECORD_SET},
    "allow_removal": {"type": "bool", "default": False},
    "removal_share": {"type": "float", "default": 0.3},
    "wait": {"type": "bool", "default": False},
    "wait_servers": {"type": "list", "elements": "str", "default": []},
    "wait_timeout": {"type": "float", "default": 120.0},
}


def main() -> None:
    """Run the module."""
    run_module(
        ARGUMENTS,
        publish_mx_records,
        mutually_exclusive=[("key_file", "key_secret"), ("server", "zone_file")],
        required_one_of=[("server", "zone_file")],
    )


if __name__ == "__main__":
    main()
