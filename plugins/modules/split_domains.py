#!/usr/bin/python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module split_domains.

from __future__ import annotations

DOCUMENTATION = r"""
module: split_domains
short_description: Make domains of a mail server split domains
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Tells a mail server which of its domains also have mailboxes on other sites, and what to do with unknown recipients.
  - The server accepts the domain's mail, delivers the addresses that P(mailops.split_domain.recipient_routes#module)
    has given it, and rejects unknown recipients or forwards them to another site. It never sends a recipient's mail
    back to the site that handed it over.
  - Before the server accepts a recipient that it would forward, it asks the other site. This is call-ahead (recipient
    address verification in Postfix, callout in Exim). If the other site rejects a recipient, this server rejects it
    too, with 550. If the other site cannot be asked, the server answers 450.
  - All tables and settings are in the directory C(split_domain) below Postfix's configuration directory. In C(main.cf)
    the module only adds elements to list parameters, and sets parameters whose former text is saved. When the last
    domain is removed, the directory is removed, and C(main.cf) is as before, byte for byte.
  - Works on any number of domains with at most one reload of the mail server.
requirements:
  - Postfix 3.4 or newer on the managed server
options:
  domains:
    description: The domains to set up or to remove. Domains that are not named stay as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      domain:
        description: The mail domain. An internationalised name may be given as U-labels.
        type: str
        required: true
      state:
        description: Whether the domain is split on this server. V(absent) removes its settings and its routes.
        type: str
        choices:
          - present
          - absent
        default: present
      role:
        description:
          - The role of this server's site for the domain. The master receives the domain's MX traffic.
          - It is kept with the settings and changes nothing in how the server routes.
        type: str
        choices:
          - master
          - slave
        default: slave
      unknown:
        description: The peer that unknown recipients are forwarded to. When omitted, they are rejected.
        type: str
      call_ahead:
        description:
          - Whether the peer in O(domains[].unknown) is asked about a recipient before it is accepted.
          - Without it mail for unknown recipients is accepted and bounced later, to senders that may be forged.
        type: bool
        default: true
      local_transport:
        description:
          - How this server delivers its own mailboxes of the domain, as C(transport:nexthop) of transport(5).
          - When omitted, P(mailops.split_domain.recipient_routes#module) takes what C(main.cf) says. For a domain that
            the server has already, everything stays as the server's own settings have it.
        type: str
      subdomain:
        description:
          - A mail domain of this server's own site only, such as C(cloud.example.com). This server accepts mail for it.
            Its known addresses are those with a local route in P(mailops.split_domain.recipient_routes#module).
        type: str
      alias_domains:
        description:
          - Other names of the domain. This server accepts mail for the addresses that
            P(mailops.split_domain.recipient_routes#module) has routes for, under all of its names. Unknown recipients
            are handled like those of the domain.
        type: list
        elements: str
        default: []
      catch_all:
        description:
          - A mailbox of this server's own site, an address of the domain, that gets the mail for all unknown addresses.
            It must have a local route.
          - Cannot be given with O(domains[].unknown).
        type: str
      site:
        description:
          - The name of this server's own site. Needed if sites get copies of mail for users of other sites (dual
            delivery).
        type: str
      peers:
        description: The other sites of the domain. Required with O(domains[].state=present).
        type: list
        elements: dict
        default: []
        suboptions:
          site:
            description: The name of the site.
            type: str
            required: true
          relay:
            description:
              - The next hop of the site, always taken literally and never looked up as MX.
              - Either this or O(domains[].peers[].relays) is required.
            type: dict
            suboptions: &relay
              host:
                description: Host name or IP address.
                type: str
                required: true
              port:
                description: TCP port.
                type: int
                default: 25
              tls:
                description:
                  - V(may) leaves the connection to the server's own C(smtp_tls_security_level), V(none) never uses TLS.
                  - With all others except V(dane) nothing is sent in clear. V(encrypt) accepts any certificate.
                    V(verify) needs a certificate that names O(domains[].peers[].relay.tls_names) and comes from an
                    authority in C(smtp_tls_CAfile) or C(smtp_tls_CApath) of the server. V(fingerprint) needs one of
                    O(domains[].peers[].relay.fingerprints).
                  - V(dane) and V(dane-only) need the key in signed TLSA records of the host name (RFC 7672). If nothing
                    is proven, V(dane) accepts any TLS or none, and with V(dane-only) mail waits. The run warns of it.
                    Both need a resolver on this server that validates. C(smtp_dns_support_level) is V(dnssec) as long
                    as a relay has one of these policies.
                type: str
                choices:
                  - none
                  - may
                  - encrypt
                  - verify
                  - fingerprint
                  - dane
                  - dane-only
                default: may
              tls_names:
                description:
                  - With V(verify), the certificate must have one of these names. The host when omitted.
                  - Required if the host is an address.
                type: list
                elements: str
              fingerprints:
                description:
                  - With V(fingerprint), the certificate or its public key must have one of these SHA-256 fingerprints,
                    in hexadecimal with or without colons. C(smtp_tls_fingerprint_digest) must be V(sha256).
                type: list
                elements: str
              username:
                description:
                  - Log in as this user (SMTP AUTH) where the host offers it.
                  - Needs O(passwords), a TLS policy that sends nothing in clear, and on Debian the package
                    C(libsasl2-modules).
                  - With V(encrypt) the password goes to any host that answers there, and the module warns of it. With
                    the other policies the host is checked before.
                type: str
              password:
                description:
                  - Rejected here, because settings are shown in results. Write passwords in O(passwords).
                type: str
          relays:
            description:
              - The next hop of a site with several servers, in the order in which they are tried. Mail, and every
                question about a recipient, goes to the first of them that can be reached.
              - Needs Postfix 3.5 or newer on this server.
            type: list
            elements: dict
            suboptions: *relay
          clients:
            description:
              - Where the site's mail comes from, as IP addresses, networks in prefix notation, or host names that
                this server resolves at each run.
              - The addresses of the relay when omitted.
              - Networks that are wider than an IPv4 network of /8 or an IPv6 network of /29, each or together, need
                O(domains[].peers[].allow_wide_clients=true). All of the Internet is rejected.
            type: list
            elements: str
            default: []
          allow_wide_clients:
            description:
              - Confirms that so many addresses in C(clients) are intended. A client with any of these addresses is
                treated as the site, so its mail is not checked a second time.
            type: bool
            default: false
          verification_address:
            description:
              - An address of the domain that exists at the site. The site's rejections are trusted only after it has
                passed the verification test.
              - Each run, also in check mode, sends RCPT to the relay for this address (must be accepted) and for one
                random address (must be rejected). Then the site is verified. A relay that fails the check of its TLS
                policy is not asked, and counts as one that cannot be reached.
              - Until the site is verified, unknown recipients get 450. Recipients with a route are not affected.
              - Only used for the site in O(domains[].unknown), with O(domains[].call_ahead=true).
            type: str
          subdomain:
            description:
              - A mail domain of the site only. Addresses are rewritten to it if their route in
                P(mailops.split_domain.recipient_routes#module) says so.
              - If an address is rewritten to it and the site itself sends mail for this address, this is a loop.
            type: str
          managed:
            description:
              - Whether this collection also sets up the site, with its name in C(site). Copies of mail then have an
                address of their own, so the site does not send them back.
              - A site that is not managed gets copies for the plain address. Its own mail for such an address is a
                loop.
            type: bool
            default: false
  passwords:
    description:
      - The passwords of relays with a user name. They are in a lookup table that only root may read, and are never
        shown. A password that is not given stays as it is.
      - Entries for other relays are ignored.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The host of the relay.
        type: str
        required: true
      port:
        description: The port of the relay.
        type: int
        default: 25
      password:
        description: The password.
        type: str
        required: true
  purge:
    description: Whether split domains that are not in O(domains) are removed from this server.
    type: bool
    default: false
extends_documentation_fragment:
  - mailops.split_domain.mail_server
  - mailops.split_domain.locking_module
  - mailops.split_domain.changing_module
seealso:
  - module: mailops.split_domain.recipient_routes
  - module: mailops.split_domain.postfix_parameters
notes:
  - The domain may already be in C(virtual_mailbox_domains) or C(mydestination) of the server. Its existing users,
    aliases and transports keep working. Do not list them. An address with a route to another site goes there.
  - A domain that is already in C(virtual_alias_domains) or C(relay_domains) is rejected. It has no users there.
"""

EXAMPLES = r"""
- name: Know some users of example.com and ask the cloud site about all other recipients
  mailops.split_domain.split_domains:
    domains:
      - domain: example.com
        role: master
        unknown: cloud
        peers:
          - site: cloud
            relay: {host: 198.51.100.20}

- name: Forward to a site that sends from a network of its own, over TLS only
  mailops.split_domain.split_domains:
    domains:
      - domain: example.org
        unknown: hosted
        peers:
          - site: hosted
            relay: {host: 203.0.113.25, port: 2525, tls: encrypt}
            clients: [203.0.113.0/28, "2001:db8::25"]

- name: Log in at a hosted service and verify its certificate first
  mailops.split_domain.split_domains:
    domains:
      - domain: example.org
        peers:
          - site: hosted
            relay: {host: 203.0.113.25, port: 587, tls: verify, tls_names: [in.hosted.example.net], username: example}
    passwords:
      - {host: 203.0.113.25, port: 587, password: "{{ vault_hosted_password }}"}

- name: Trust a hosted site only while it accepts its users and rejects other addresses
  mailops.split_domain.split_domains:
    domains:
      - domain: example.org
        unknown: hosted
        peers:
          - site: hosted
            relay: {host: 192.0.2.25}
            verification_address: postmaster@example.org

- name: Send to two servers of the other site, to the second while the first cannot be reached
  mailops.split_domain.split_domains:
    domains:
      - domain: example.net
        unknown: cloud
        peers:
          - site: cloud
            relays:
              - {host: 198.51.100.20}
              - {host: 198.51.100.21}

- name: Restore the server as it was before the split
  mailops.split_domain.split_domains:
    purge: true
"""

RETURN = r"""
installed:
  description:
    - Whether there is a mail server. V(false) is possible in check mode only.
  returned: success
  type: bool
domains:
  description: The domains that were named or purged, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    domain:
      description: The domain in canonical form.
      type: str
      sample: example.com
    before:
      description: The settings that were found, in the shape of O(domains); null when the domain was not split here.
      type: dict
    after:
      description: The settings that were left; null when the domain is not split here any more.
      type: dict
    verdict_before:
      description: The verdict before the run, as in C(verdict).
      type: str
    verdict:
      description:
        - The result of the verification test of the site that unknown recipients are forwarded to. V(verified), or the
          reason why unknown recipients get 450. V(accepts_everything). V(refuses), if the site rejects the verification
          address or blocks this server. V(not_asked), if it never answered.
        - A site that does not answer, or defers, keeps its earlier verdict.
        - Null if there is no O(domains[].peers[].verification_address).
      type: str
      sample: verified
    changed:
      description:
        - Whether settings or verdict differ. A server that drifted is repaired even if its settings do not differ.
      type: bool
server_changed:
  description: Whether anything on the server was written, also for a repair. The same as C(changed).
  returned: success
  type: bool
running:
  description: Whether the mail server runs. It is reloaded when needed, but never started.
  returned: when installed
  type: bool
"""

from functools import partial

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.signed_records import ask_for_proof
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import ROLES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import MTA_CHOICES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.split_domains import set_domains
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import TLS_POLICIES
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.ask_relay import ask_peer

RELAY = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 25},
    "tls": {"type": "str", "choices": list(TLS_POLICIES), "default": "may"},
    "tls_names": {"type": "list", "elements": "str"},
    "fingerprints": {"type": "list", "elements": "str"},
    "username": {"type": "str"},
    # Known so that Ansible hides it; parse_settings rejects it.
    "password": {"type": "str", "no_log": True},
}
PASSWORD = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 25},
    "password": {"type": "str", "required": True, "no_log": True},
}
PEER = {
    "site": {"type": "str", "required": True},
    "relay": {"type": "dict", "options": RELAY},
    "relays": {"type": "list", "elements": "dict", "options": RELAY},
    "clients": {"type": "list", "elements": "str", "default": []},
    "allow_wide_clients": {"type": "bool", "default": False},
    "verification_address": {"type": "str"},
    "subdomain": {"type": "str"},
    "managed": {"type": "bool", "default": False},
}
DOMAIN = {
    "domain": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "role": {"type": "str", "choices": list(ROLES), "default": "slave"},
    "unknown": {"type": "str"},
    "call_ahead": {"type": "bool", "default": True},
    "local_transport": {"type": "str"},
    "subdomain": {"type": "str"},
    "alias_domains": {"type": "list", "elements": "str", "default": []},
    "site": {"type": "str"},
    "catch_all": {"type": "str"},
    "peers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": PEER,
        "mutually_exclusive": [("relay", "relays")],
        "required_one_of": [("relay", "relays")],
    },
}


def main() -> None:
    """Run the module."""
    run_module(
        {
            "domains": {"type": "list", "elements": "dict", "default": [], "options": DOMAIN},
            "passwords": {"type": "list", "elements": "dict", "default": [], "options": PASSWORD, "no_log": False},
            "purge": {"type": "bool", "default": False},
            "mta": {"type": "str", "choices": list(MTA_CHOICES), "default": "auto"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "lock_timeout": {"type": "float", "default": 30.0},
        },
        partial(set_domains, partial(ask_peer, ask_for_proof), ask_for_proof),
    )


if __name__ == "__main__":
    main()
