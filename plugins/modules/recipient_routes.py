#!/usr/bin/python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module recipient_routes.

from __future__ import annotations

DOCUMENTATION = r"""
module: recipient_routes
short_description: Set where a mail server sends mail for single addresses of a split domain
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Keeps the routes of single addresses of one domain on a mail server. A route is local, or leads to the relay of
    another site.
  - An address with a route is a known recipient. It is accepted without a question, also while the other site is down.
    The same is true for the address with an extension (user+extension).
  - Made for large directories. A hundred thousand addresses are one task, and a single changed address is a single
    change of the lookup table.
  - Routes take effect when P(mailops.split_domain.split_domains#module) has made the domain a split domain. They may be
    written before that.
requirements:
  - Postfix 3.4 or newer on the managed server
options:
  domain:
    description: The mail domain that all addresses belong to.
    type: str
    required: true
  routes:
    description:
      - The routes. With O(state=exact) an empty list removes all routes of the domain.
      - Mutually exclusive with O(src).
    type: list
    elements: dict
    suboptions:
      address:
        description: The address, in upper or lower case. Quoted and non-ASCII local parts are rejected.
        type: str
        required: true
      to:
        description:
          - V(local), or the next hop as C(host), C(host:port), C([address]:port) or a mapping of C(host) and C(port).
          - A list of these, or text with commas between them, is a next hop of several servers, each of which is tried
            while those before it cannot be reached. Name them in the order of the peer's C(relays) in
            P(mailops.split_domain.split_domains#module).
          - Or an address in the subdomain of the site that holds the mailbox, such as C(bob@cloud.example.com), or
            C(@cloud.example.com) for the same local part. Mail is rewritten to it and follows the subdomain's own MX
            records. Make sure first that the subdomain takes mail.
          - Not needed with O(state=absent).
        type: raw
      copy:
        description:
          - With a local route, the sites that get a copy of the mail for the address. With a route to another site,
            this server's own site (if it gets copies from there), and sites that are not managed. If these send a copy
            back, it is rejected.
          - A server that accepted copies for an address accepts them as long as the address has a route. So a copy that
            waits in another server's queue does not bounce.
          - Takes effect when P(mailops.split_domain.split_domains#module) knows the name of this server's own site.
        type: list
        elements: str
  src:
    description:
      - One or more CSV files on the controller with the columns C(address) and C(site), named in the first line, and
        C(copy), the names of sites that get a copy. Other columns are ignored.
      - Mutually exclusive with O(routes).
    type: list
    elements: path
  content:
    description:
      - What the files in O(src) say, packed on the controller by the action of this module.
      - Not for use in playbooks.
    type: str
  sites:
    description: What each site in O(src) means on this server, as V(local) or a next hop as in O(routes[].to).
    type: dict
    default: {}
  site:
    description: The site that is meant where a file of O(src) has no site, or no such column.
    type: str
  unmanaged_sites:
    description: The sites in O(src) that are not managed, which may send copies of mail back to this server.
    type: list
    elements: str
    default: []
  local_transport:
    description:
      - How this server delivers its own mailboxes, as C(transport:nexthop) of transport(5).
      - When omitted, what P(mailops.split_domain.split_domains#module) was given for the domain, else the first of
        C(virtual_transport) and C(mailbox_transport) that C(main.cf) sets, else C(local:).
      - When empty, what C(main.cf) says, whatever P(mailops.split_domain.split_domains#module) was given.
      - For a domain that stands in the server's own C(virtual_mailbox_domains) or C(mydestination), local addresses
        have no route without it, and are delivered as before.
    type: str
  subdomain:
    description:
      - The subdomain of this server's own site. Each address with a local route has an address in it, and no other
        address has one.
      - When omitted, what P(mailops.split_domain.split_domains#module) was given for the domain. Needed where routes
        are written before.
    type: str
  alias_domains:
    description:
      - Other names of the domain. Each of its addresses that has a route has an address in them, too.
      - When omitted, what P(mailops.split_domain.split_domains#module) was given for the domain. Needed where routes
        are written before.
    type: list
    elements: str
  catch_all:
    description:
      - Whether the domain gets a catch-all in P(mailops.split_domain.split_domains#module). The catch-all must not get
        mail for these addresses. An existing catch-all, here or in the server's own C(virtual_alias_maps), is found
        without this option.
    type: bool
    default: false
  only_local:
    description:
      - Take only the local ones of the routes, with O(state=present).
      - Use it on every server before routes change. Then the new site of a mailbox knows the mailbox before the old
        site sends mail there. The playbook C(mailops.split_domain.site) does so.
      - O(routes) may be empty then. A server may have no mailbox of its own.
    type: bool
    default: false
  state:
    description:
      - V(exact) leaves the domain with these routes and no others.
      - V(present) adds or changes these routes, V(absent) removes them. Others stay as they are.
    type: str
    choices:
      - exact
      - present
      - absent
    default: present
extends_documentation_fragment:
  - mailops.split_domain.mail_server
  - mailops.split_domain.locking_module
  - mailops.split_domain.changing_module
seealso:
  - module: mailops.split_domain.split_domains
"""

EXAMPLES = r"""
- name: Keep alice here and bob on the other site
  mailops.split_domain.recipient_routes:
    domain: example.com
    state: exact
    routes:
      - {address: alice@example.com, to: local}
      - {address: bob@example.com, to: "mx.cloud.example.net:25"}

- name: Move carol to the other site
  mailops.split_domain.recipient_routes:
    domain: example.com
    routes:
      - {address: carol@example.com, to: {host: mx.cloud.example.net}}

- name: Rewrite erin to her address in the other site's subdomain, found by the MX records of the subdomain
  mailops.split_domain.recipient_routes:
    domain: example.com
    routes:
      - {address: erin@example.com, to: erin@cloud.example.com}

- name: Forget dave
  mailops.split_domain.recipient_routes:
    domain: example.com
    routes:
      - address: dave@example.com
    state: absent

- name: Take the whole directory from a file on the controller
  mailops.split_domain.recipient_routes:
    domain: example.com
    src: example.com.csv
    sites:
      hq: local
      cloud: mx.cloud.example.net:25
    state: exact
"""

RETURN = r"""
installed:
  description:
    - Whether there is a mail server. V(false) is possible in check mode only.
  returned: success
  type: bool
domain:
  description: The domain in canonical form.
  returned: success
  type: str
  sample: example.com
table_changed:
  description:
    - Whether the table of routes or that of aliases was written, also for a repair that changed no route.
    - The same as C(changed).
  returned: when installed
  type: bool
complete:
  description: Whether the domain now has exactly the routes of O(routes) or O(src), with any O(state).
  returned: when installed
  type: bool
counts:
  description: How many addresses have a route.
  returned: when installed
  type: dict
  contains:
    before:
      description: Addresses of the domain with a route before the task.
      type: int
    after:
      description: Addresses of the domain with a route after it.
      type: int
    added:
      description: Addresses that had no route before.
      type: int
    changed:
      description: Addresses that had another route before.
      type: int
    removed:
      description: Addresses that have no route any more.
      type: int
changes:
  description: The first hundred addresses whose route is another, sorted.
  returned: when installed
  type: list
  elements: dict
  contains:
    address:
      description: The address in canonical form.
      type: str
      sample: bob@example.com
    before:
      description: The transport that was found; null for none.
      type: str
      sample: lmtp:unix:private/dovecot-lmtp
    after:
      description: The transport that was left; null for none.
      type: str
      sample: relay:[mx.cloud.example.net]:25
"""

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import MTA_CHOICES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.recipient_routes import set_routes

ROUTE = {
    "address": {"type": "str", "required": True},
    "to": {"type": "raw"},
    "copy": {"type": "list", "elements": "str"},
}


def main() -> None:
    """Run the module."""
    run_module(
        {
            "domain": {"type": "str", "required": True},
            "routes": {"type": "list", "elements": "dict", "options": ROUTE},
            "src": {"type": "list", "elements": "path"},
            # A directory is nobody's business in the system log.
            "content": {"type": "str", "no_log": True},
            "sites": {"type": "dict", "default": {}},
            "site": {"type": "str"},
            "unmanaged_sites": {"type": "list", "elements": "str", "default": []},
            "local_transport": {"type": "str"},
            "subdomain": {"type": "str"},
            "alias_domains": {"type": "list", "elements": "str"},
            "catch_all": {"type": "bool", "default": False},
            "only_local": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["exact", "present", "absent"], "default": "present"},
            "mta": {"type": "str", "choices": list(MTA_CHOICES), "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "lock_timeout": {"type": "float", "default": 30.0},
        },
        set_routes,
        mutually_exclusive=[("routes", "src")],
        required_one_of=[("routes", "src")],
    )


if __name__ == "__main__":
    main()
