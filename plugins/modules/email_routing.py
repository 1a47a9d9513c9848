#!/usr/bin/python

# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The door of email_routing: its documentation, its arguments and one call.

from __future__ import annotations

DOCUMENTATION = r"""
module: email_routing
short_description: Set whether a mail server delivers, holds or rejects the mail of domains
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Sets the routing mode of any number of domains on a mail server. V(local) accepts a domain's mail and delivers it
    here. V(backup) accepts it and holds it for an exchanger of a lower preference. V(remote) rejects it from outside,
    and sends mail that is submitted here to the domain's exchangers.
  - V(auto) follows the domain's MX set. It is V(local) when an exchange of the lowest preference is this server,
    V(backup) when only one of a higher preference is, and V(remote) when none is, or for a null MX (RFC 7505).
    If the DNS does not answer, or names no host that can be reached, the earlier mode stays (V(local) if there was
    none), and the module warns.
  - For V(backup) it warns if the DNS names this server first, or says that no server accepts mail for the domain. It
    does not warn if the records cannot be looked up.
  - The DNS is never changed.
  - A domain is in one address class at a time. A domain that another setting of the server has already
    (C(mydestination), C(virtual_mailbox_domains), C(virtual_alias_domains), C(relay_domains)) can only be V(local).
    This needs no change, and is possible only if that setting delivers here. A domain that is split on this server is
    rejected.
  - Mail for unknown recipients is rejected at RCPT, never bounced. If a recipient is not listed, the server asks the
    next exchanger, or the transport that delivers here, at RCPT. It answers 550 if the recipient does not exist, and
    450 while the question cannot be answered. A recipient that was found stays known for three days
    (C(address_verify_positive_expire_time)).
  - Works on any number of domains with at most one reload of the mail server. When the last domain is removed,
    C(main.cf) is as before, byte for byte.
  - A domain is not removed while mail for it waits in the queue, because that mail would bounce.
requirements:
  - Postfix 3.4 or newer on the managed server
  - dnspython >= 2.3 on the managed server for V(auto), unless O(mx_sets) is given
options:
  domains:
    description: The domains and their modes. Domains that are not named stay as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      domain:
        description: The mail domain. An internationalised name may be given as U-labels.
        type: str
        required: true
      mode:
        description: The routing mode. Needed unless O(domains[].state=absent).
        type: str
        choices: [local, backup, remote, auto]
      state:
        description: Whether the domain has a routing mode here. With V(absent) the server does not know the domain.
        type: str
        choices: [present, absent]
        default: present
      recipients:
        description:
          - Addresses of the domain that are accepted without a question, for V(local) and V(backup).
        type: list
        elements: str
        default: []
      call_ahead:
        description:
          - Whether the server asks about recipients that are not listed, at RCPT. Without it only
            O(domains[].recipients) are accepted, and all others are rejected with 550.
        type: bool
        default: true
      local_transport:
        description:
          - How the server delivers here, as C(transport:nexthop) (transport(5)), for V(local).
          - By default the first of C(virtual_transport) and C(mailbox_transport) that C(main.cf) sets, else C(local:).
        type: str
      queue_lifetime:
        description:
          - How long mail is held for the domain while it is V(backup), as a number with its unit C(s), C(m), C(h), C(d)
            or C(w).
          - Postfix has one lifetime for all mail (C(maximal_queue_lifetime), 5 days by default). The longest of all
            backup domains takes effect. The old value is restored when no backup domain is left.
        type: str
      own_addresses:
        description:
          - O(own_addresses) for this domain only, as RV(domains[].before) has them, so that a mode can be restored.
        type: list
        elements: str
  own_addresses:
    description:
      - Addresses by which the DNS knows this server, besides those of its interfaces and C(proxy_interfaces), as behind
        NAT. While a domain is V(backup), they are added to C(proxy_interfaces), so that Postfix finds itself among the
        exchangers.
      - They belong to the domains of the task, unless those have O(domains[].own_addresses).
    type: list
    elements: str
    default: []
  mx_sets:
    description:
      - What P(mailops.split_domain.mx_info#module) returned as RV(mailops.split_domain.mx_info#module:names), for all
        domains with the mode V(auto). With it this module does not ask name servers and needs no DNS library.
    type: list
    elements: dict
  resolver:
    description: IP addresses of resolvers to ask instead of those in C(/etc/resolv.conf).
    type: list
    elements: str
    default: []
  resolver_port:
    description: Port of the resolvers.
    type: int
    default: 53
extends_documentation_fragment:
  - mailops.split_domain.mail_server
  - mailops.split_domain.locking_module
  - mailops.split_domain.changing_module
"""

EXAMPLES = r"""
- name: Follow the MX records of two domains
  mailops.split_domain.email_routing:
    domains:
      - {domain: example.com, mode: auto}
      - {domain: example.net, mode: auto}
    own_addresses: [203.0.113.25]
    resolver: [192.0.2.53]
  register: routing

- name: Restore the earlier modes
  mailops.split_domain.email_routing:
    domains: "{{ routing.domains | map(attribute='before') }}"

- name: Hold mail of a domain for ten days while its primary exchanger is down
  mailops.split_domain.email_routing:
    domains:
      - domain: example.com
        mode: backup
        recipients: [alice@example.com, bob@example.com]
        queue_lifetime: 10d

- name: Accept no more mail of a domain that has moved away, and remove another domain
  mailops.split_domain.email_routing:
    domains:
      - {domain: example.com, mode: remote}
      - {domain: example.net, state: absent}
"""

RETURN = r"""
domains:
  description: Each domain of the request, as it was and as it is.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain as A-labels.
      type: str
      sample: example.com
    before:
      description: What was asked for before, as an entry of O(domains); C(state=absent) when nothing was.
      type: dict
      sample: {domain: example.com, state: absent}
    after:
      description: What is asked for now, as an entry of O(domains).
      type: dict
    effective_before:
      description: The mode that the server had, V(null) for none.
      type: str
      sample: local
    effective:
      description: The mode that the server has now, V(null) for none.
      type: str
      sample: backup
    reason:
      description: Why V(auto) came to this mode, as a clause; V(null) for other modes.
      type: str
      sample: mx2.example.com, of the preference 20, is this server, and one of a lower is not
    changed:
      description: Whether the two differ.
      type: bool
      sample: true
server_changed:
  description: Whether anything on the server was changed, also for a repair.
  returned: success
  type: bool
  sample: true
running:
  description: Whether the mail server runs. If it does not run, the settings take effect when it starts.
  returned: when the mail server is installed
  type: bool
  sample: true
installed:
  description: Whether there is a mail server. V(false) only in check mode, where this is not a failure.
  returned: success
  type: bool
  sample: true
"""

from functools import partial

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.exchanger_lookup import exchangers_of
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import MTA_CHOICES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.email_routing import set_modes

DOMAIN = {
    "domain": {"type": "str", "required": True},
    "mode": {"type": "str", "choices": ["local", "backup", "remote", "auto"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "call_ahead": {"type": "bool", "default": True},
    "local_transport": {"type": "str"},
    "queue_lifetime": {"type": "str"},
    "own_addresses": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Run the module."""
    run_module(
        {
            "domains": {"type": "list", "elements": "dict", "required": True, "options": DOMAIN},
            "own_addresses": {"type": "list", "elements": "str", "default": []},
            "mx_sets": {"type": "list", "elements": "dict"},
            "resolver": {"type": "list", "elements": "str", "default": []},
            "resolver_port": {"type": "int", "default": 53},
            "mta": {"type": "str", "choices": list(MTA_CHOICES), "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "lock_timeout": {"type": "float", "default": 30.0},
        },
        partial(set_modes, look_up=exchangers_of),
    )


if __name__ == "__main__":
    main()
