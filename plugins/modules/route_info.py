#!/usr/bin/python

# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module route_info: documentation and argument spec; the work is in module_utils/mta/route_info.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: route_info
short_description: Show where a mail server would send addresses, and which table decides
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Follows mail addresses through the configuration of the mail server it runs on, as the server's own programs do, and
    returns for each its address class, what aliases make of it, transport and next hop, what a stranger would be told
    at C(RCPT), and the table and key that decided each of these.
  - The answers come from the lookup tables that Postfix uses, of whatever type, asked with C(postmap -q) in the order
    of ADDRESS_REWRITING_README and ADDRESS_CLASS_README, canonical(5), virtual(5), trivial-rewrite(8), transport(5),
    local(8) and access(5). Parameters are read expanded (C(postconf -x)).
  - Every table is asked for all addresses at once, so that a thousand addresses take about as long as one.
  - No mail is sent, no next hop is asked, and nothing is written.
extends_documentation_fragment:
  - mailops.split_domain.mail_server
options:
  addresses:
    description:
      - The addresses to follow, at least one, in the order in which they are returned.
      - An address has a domain, and a local part of ASCII characters without quotes, white space, V(!) and V(%). A
        domain with non-ASCII characters is turned into A-labels.
    type: list
    elements: str
    required: true
  sender:
    description:
      - The envelope sender of the mail, as it is after rewriting, with V(<>) for the null sender of bounces.
      - Matters only for O(ignore:sender_dependent_relayhost_maps) and
        O(ignore:sender_dependent_default_transport_maps) of C(main.cf), which are left out of account without it.
    type: str
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
notes:
  - Needs the rights to read the tables, which are root's as a rule.
  - A stranger is a client without authentication that is not in any table, with a sender that is not rejected. Checks
    that depend on more than the recipient, such as DNS lists, policy services and tables of clients, are ignored.
  - Not followed are C(.forward) files, C(:include:) files and commands in aliases, address masquerading, Milters, and
    what a next hop does. Copies (C(recipient_bcc_maps)), values that C(master.cf) gives to single services, and a
    C(content_filter) are told as warnings.
  - A table behind proxymap(8) is asked by way of it while Postfix runs, and directly while it does not.
  - To see what a server really answers, ask it with M(mailops.split_domain.smtp_probe).
seealso:
  - module: mailops.split_domain.smtp_probe
  - module: mailops.split_domain.recipient_routes
  - module: mailops.split_domain.split_domains
"""

EXAMPLES = r"""
- name: See where this server sends three addresses
  mailops.split_domain.route_info:
    addresses:
      - alice@example.com
      - bob+news@example.com
      - someone@elsewhere.example.net
  register: routes

- name: Show transport, next hop and what decided for each
  ansible.builtin.debug:
    msg: "{{ item.address }} goes to {{ item.transport }}:{{ item.nexthop }} by {{ item.decided_by }}"
  loop: "{{ routes.addresses }}"
  loop_control:
    label: "{{ item.address }}"

- name: See where mail of one sender goes
  mailops.split_domain.route_info:
    addresses: [someone@elsewhere.example.net]
    sender: alice@example.com

- name: Fail unless the server knows an address and hands it to another site
  mailops.split_domain.route_info:
    addresses: [bob@example.com]
  register: moved
  failed_when: moved.addresses[0].at_rcpt.verdict == 'accepted' and moved.addresses[0].transport != 'relay'
"""

RETURN = r"""
installed:
  description: Whether there is a mail server. V(false) only in check mode, which does not fail for lack of one.
  returned: success
  type: bool
  sample: true
addresses:
  description: What was found out, in the order of O(addresses).
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address, its domain in lower case and as A-labels.
      type: str
      sample: sales@example.com
    class:
      description:
        - The address class (ADDRESS_CLASS_README), one of V(local) (C(mydestination)), V(virtual_alias),
          V(virtual_mailbox), V(relay) and V(default), which is everything else.
      type: str
      sample: virtual_mailbox
    class_decided_by:
      description:
        - The element of the list of domains that made the class. For class V(default), what says the default transport.
        - A dictionary like RV(addresses[].decided_by).
      type: dict
      sample: {parameter: virtual_mailbox_domains, table: null, key: null, value: example.com}
    known:
      description:
        - Whether a table of recipients or aliases has the address. V(null) when none could tell, as for other servers'
          addresses and for domains without a table of recipients.
        - V(true) also for an entry for the whole domain, such as that of a split domain whose unknown recipients are
          forwarded; RV(addresses[].known_by) and RV(addresses[].at_rcpt) tell the difference.
      type: bool
      sample: true
    known_by:
      description: The entry by which it is known, like RV(addresses[].decided_by), or V(null).
      type: dict
      sample:
        parameter: virtual_alias_maps
        table: lmdb:/etc/postfix/virtual
        key: sales@example.com
        value: bob@example.com
    at_rcpt:
      description:
        - What a stranger would be told at C(RCPT), as far as tables about the recipient say it.
      type: dict
      contains:
        verdict:
          description:
            - V(accepted); V(asked_ahead), when the answer depends on that of the next hop (address verification);
              V(refused); V(deferred); V(relay_denied), when the server has nothing to do with the domain.
          type: str
          sample: accepted
        code:
          description: The reply code of RFC 5321, or V(null) for V(asked_ahead).
          type: int
          sample: 250
        text:
          description: What the server would say, beginning with the enhanced status code, or V(null).
          type: str
          sample: 5.1.1 User unknown in virtual mailbox table
        decided_by:
          description: What made the answer, like RV(addresses[].decided_by), or V(null) where no table did.
          type: dict
          sample: {parameter: virtual_mailbox_maps, table: null, key: null, value: null}
    aliases:
      description:
        - The steps of RV(addresses[].steps) at which an address was replaced by others, nested ones included, in their
          order. Empty when the address is delivered under its own name.
      type: list
      elements: dict
      sample:
        - stage: alias
          address: sales@example.com
          parameter: virtual_alias_maps
          table: lmdb:/etc/postfix/virtual
          key: sales@example.com
          value: bob@example.com
          result: bob@example.com
    destinations:
      description: Where mail for the address is handed to in the end, one entry for each recipient that it has then.
      type: list
      elements: dict
      contains:
        address:
          description:
            - The recipient after all rewriting. For members of aliases(5) also a command (C(|...)), a file (C(/...))
              or a list (C(:include:...)).
          type: str
          sample: bob@example.com
        class:
          description: Its address class.
          type: str
          sample: virtual_mailbox
        transport:
          description:
            - The transport, a service of C(master.cf). V(error) rejects or bounces, V(retry) defers.
          type: str
          sample: relay
        nexthop:
          description:
            - The next hop, as the transport takes it. For V(error) and V(retry) the reason.
          type: str
          sample: '[mx.cloud.example.net]:25'
        decided_by:
          description: What decided, like RV(addresses[].decided_by).
          type: dict
          sample: {parameter: relayhost, table: null, key: null, value: '[mx.example.net]'}
    transport:
      description: The transport of the only destination, V(null) when there are several.
      type: str
      sample: relay
    nexthop:
      description: The next hop of the only destination, V(null) when there are several.
      type: str
      sample: '[mx.cloud.example.net]:25'
    decided_by:
      description: What decided on transport or next hop of the only destination, V(null) when there are several.
      type: dict
      contains:
        parameter:
          description: The parameter of C(main.cf).
          type: str
          sample: transport_maps
        table:
          description: The lookup table in it, C($name) expanded, or V(null) when the parameter's own value decided.
          type: str
          sample: lmdb:/etc/postfix/transport
        key:
          description: The key that was there, or V(null).
          type: str
          sample: bob@example.com
        value:
          description: The value of the key, or the value or list element of the parameter.
          type: str
          sample: relay:[mx.cloud.example.net]:25
    steps:
      description: Every decision on the way, in order.
      type: list
      elements: dict
      contains:
        stage:
          description:
            - One of V(reception) (a table that is asked at C(RCPT)), V(canonical) and V(alias) (cleanup(8)), V(class)
              and V(transport) (trivial-rewrite(8)), V(local_alias) and V(mailbox) (local(8)).
          type: str
          sample: transport
        address:
          description: The address as it was at this step.
          type: str
          sample: bob@example.com
        parameter:
          description: As in RV(addresses[].decided_by).
          type: str
          sample: transport_maps
        table:
          description: As in RV(addresses[].decided_by).
          type: str
          sample: lmdb:/etc/postfix/transport
        key:
          description: As in RV(addresses[].decided_by).
          type: str
          sample: bob@example.com
        value:
          description: As in RV(addresses[].decided_by).
          type: str
          sample: relay:[mx.cloud.example.net]:25
        result:
          description: What came of it, such as the addresses that replace this one, a class, or transport:nexthop.
          type: str
          sample: relay:[mx.cloud.example.net]:25
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.route_info import tell_routes


def main() -> None:
    """Read the arguments and do the work."""
    run_module(
        {
            "addresses": {"type": "list", "elements": "str", "required": True},
            "sender": {"type": "str"},
            "mta": {"type": "str", "choices": ["auto", "postfix"], "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
        },
        tell_routes,
    )


if __name__ == "__main__":
    main()
