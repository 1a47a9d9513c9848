#!/usr/bin/python

# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The door of mx_info: its documentation, its arguments and one call.

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_info
short_description: Show where mail for domains goes, and what is wrong with it
version_added: 0.1.0
description:
  - For any number of names, shows the MX record set that each authoritative server gives, the addresses of each
    exchange, how long resolvers keep an older set, and all faults.
  - With O(own_addresses) it also shows the routing mode of the server that has these addresses, local, backup or
    remote.
  - The zone of each name, its name servers and all addresses are found through a recursive resolver. Then every
    authoritative server is asked itself, at each of its IPv4 and IPv6 addresses. All questions of one kind are under
    way at the same time, so that a thousand names are one task.
  - A server that does not answer, that answers with an error or that is not authoritative is a fault in the result, not
    a failure of the task. It is never treated as a name without records. The task fails when no resolver answers.
  - The faults follow RFC 5321 section 5, RFC 2181 sections 5.2 and 10.3, RFC 7505, and the test case Zone09 of
    Zonemaster.
attributes:
  action_group:
    description: Use C(group/mailops.split_domain.split_domain) in C(module_defaults) for all modules of the collection.
    support: full
    membership:
      - mailops.split_domain.split_domain
  check_mode:
    description: Can run in check mode and return what it returns otherwise, since it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show as a difference, since nothing changes.
    support: none
requirements:
  - dnspython >= 2.3 on the host that runs the module
options:
  names:
    description:
      - The names to look up, usually mail domains. A name is absolute with and without a trailing dot.
      - A name with other characters than ASCII is turned into its A-labels if IDNA2003 and IDNA2008 agree. Otherwise it
        is rejected. V(.) is the root.
    type: list
    elements: str
    required: true
  own_addresses:
    description:
      - The addresses under which a mail server is reached from outside, such as C(ansible_facts.all_ipv4_addresses), or
        behind NAT those of the gateway.
      - RV(names[].routing_mode) tells what this server is for each name.
    type: list
    elements: str
    default: []
  servers:
    description:
      - Host names or addresses of name servers to ask in place of those in the NS set of each zone, such as a hidden
        primary.
    type: list
    elements: str
    default: []
  port:
    description:
      - Port of the authoritative servers.
    type: int
    default: 53
  resolver:
    description:
      - Addresses of recursive resolvers. What one cannot answer, the next is asked.
      - Without any those of C(/etc/resolv.conf) are used.
    type: list
    elements: str
    default: []
  resolver_port:
    description:
      - Port of the resolvers.
    type: int
    default: 53
  timeout:
    description:
      - The longest silence of each resolver and each server in seconds. Questions are repeated every second until then.
    type: float
    default: 5.0
notes:
  - Questions are not signed. A set that only the holders of a key see is not seen.
  - Whether an exchange takes mail is not tried; M(mailops.split_domain.smtp_probe) does that.
seealso:
  - module: mailops.split_domain.mx_records
  - module: mailops.split_domain.smtp_probe
author:
  - The mailops.split_domain developers (@mailops)
"""

EXAMPLES = r"""
- name: Look at the mail of two domains
  mailops.split_domain.mx_info:
    names:
      - example.com
      - example.net
    resolver: [192.0.2.53]
  register: mx

- name: Show every fault as one sentence
  ansible.builtin.debug:
    msg: "{{ mx.names | map(attribute='faults') | flatten | map(attribute='message') }}"

- name: Stop when mail of one of them is lost or rejected
  ansible.builtin.assert:
    that: mx.names | map(attribute='faults') | flatten | selectattr('severity', 'equalto', 'error') | length == 0

- name: See what a server behind NAT is for a domain
  mailops.split_domain.mx_info:
    names: [example.com]
    own_addresses: [203.0.113.25]
    resolver: [192.0.2.53]
  register: mine

- name: Show the routing mode and the reason
  ansible.builtin.debug:
    msg: "{{ mine.names[0].routing_mode }}: {{ mine.names[0].routing_reason }}"

- name: Ask a hidden primary, which no NS record names
  mailops.split_domain.mx_info:
    names: [example.com]
    servers: [primary.example.com]
    resolver: [192.0.2.53]
"""

RETURN = r"""
names:
  description:
    - What was found, in the order of O(names), each name once. Names, zones and exchanges are in canonical form, as
      A-labels in lower case without a trailing dot.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
      sample: example.com
    zone:
      description: The zone that holds it, or V(null) when it could not be found.
      type: str
      sample: example.com
    published:
      description:
        - What the DNS says of where mail for the name goes, in one word.
        - V(mx) for an MX set, V(null_mx) for a null MX (RFC 7505), V(address) for no MX record but an address, which
          then is the exchange (RFC 5321 section 5.1), V(nothing) for neither, V(unknown) when it could not be looked
          up.
      type: str
      sample: mx
    mx:
      description:
        - The set that holds, by preference and exchange. Where the servers differ, it is that of the highest SOA
          serial (RFC 1982), and among these of most servers.
        - It is the set that the resolver gives when no authoritative server answers, or when the name is an alias.
      type: list
      elements: dict
      sample: [{preference: 10, exchange: mx1.example.com}]
      contains:
        preference:
          description: The preference, from 0 to 65535.
          type: int
        exchange:
          description: The host name of the exchange.
          type: str
    ttl:
      description: The TTL of the set in seconds, or V(null) when there is no set.
      type: int
      sample: 3600
    ttl_left:
      description:
        - For how many seconds the resolver keeps what it gives now, be it a set or that there is none.
        - V(null) when it does not tell.
      type: int
      sample: 1742
    resolved:
      description: The set as the resolver gives it, which may be older than RV(names[].mx).
      type: dict
      sample: {ttl: 1742, mx: [{preference: 10, exchange: mx1.example.com}]}
      contains:
        ttl:
          description: What is left of its TTL in seconds, or V(null) when there is no set.
          type: int
        mx:
          description: The records, by preference and exchange.
          type: list
          elements: dict
    servers:
      description: What each authoritative server says, at each of its addresses.
      type: list
      elements: dict
      contains:
        server:
          description: The name server, as the NS set or O(servers) has it.
          type: str
          sample: ns1.example.com
        address:
          description: The address that was asked, or V(null) when it has none.
          type: str
          sample: 192.0.2.53
        answer:
          description:
            - V(authoritative) for an answer that counts, be there a set or none. Otherwise V(silent), V(error),
              V(not_authoritative), V(without_address) when there was nobody to ask, or V(not_asked) when this host has
              no way to the address, as to an IPv6 address without IPv6.
          type: str
          sample: authoritative
        detail:
          description: More of an answer that does not count, such as the rcode, or V(null).
          type: str
          sample: REFUSED
        serial:
          description: The serial of the zone on this server, or V(null) when it did not tell.
          type: int
          sample: 2026010203
        ttl:
          description: The TTL of the set in seconds, or V(null) when there is no set.
          type: int
          sample: 3600
        mx:
          description: The records, by preference and exchange.
          type: list
          elements: dict
    exchanges:
      description:
        - The hosts that take the mail, those of the lowest preference first. For V(address) it is the name itself.
      type: list
      elements: dict
      contains:
        exchange:
          description: The host name.
          type: str
          sample: mx1.example.com
        addresses:
          description: Its IPv4 and IPv6 addresses.
          type: list
          elements: str
          sample: [203.0.113.25]
        alias_of:
          description: The host that a CNAME leads to, or V(null).
          type: str
        exists:
          description: Whether the name exists in the DNS.
          type: bool
          sample: true
        problem:
          description: Why not all addresses are known, or V(null) when they are.
          type: str
    faults:
      description: What is wrong, the gravest first.
      type: list
      elements: dict
      sample:
        - code: exchange_is_alias
          severity: error
          message: >-
            the exchange mail.example.com of example.com is an alias of mx1.example.com, which RFC 2181 section 10.3
            forbids and senders may refuse: name mx1.example.com in the MX record
      contains:
        code:
          description: A word that stays the same for each kind of fault; the collection's page on mx_info lists all.
          type: str
        severity:
          description:
            - V(error) when mail is lost or rejected, or the fault breaks an RFC that senders follow. V(warning) when
              mail arrives but a part of the DNS is broken or contradicts another part. V(notice) when nothing is broken
              but the result may be unexpected.
          type: str
        message:
          description: One sentence that names the thing, what is wrong with it and what to do.
          type: str
    routing_mode:
      description:
        - What the server with O(own_addresses) is for the name, or V(null) without own addresses.
        - V(local) when an exchange of the lowest preference is this server, V(backup) when only one of a higher
          preference is, V(remote) when none is and for a null MX.
        - V(unresolvable) when it cannot be told, because the set or an address that decides is not known, there is no
          exchange at all, or none of the lowest preference has an address. Keep the mode that was there before.
      type: str
      sample: local
    routing_reason:
      description: The reason as a clause, or V(null) without own addresses.
      type: str
      sample: mx1.example.com, of the lowest preference 10, is this server
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.mx_information import inform_about_mx

ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "required": True},
    "own_addresses": {"type": "list", "elements": "str", "default": []},
    "servers": {"type": "list", "elements": "str", "default": []},
    "port": {"type": "int", "default": 53},
    "resolver": {"type": "list", "elements": "str", "default": []},
    "resolver_port": {"type": "int", "default": 53},
    "timeout": {"type": "float", "default": 5.0},
}


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, inform_about_mx)


if __name__ == "__main__":
    main()
