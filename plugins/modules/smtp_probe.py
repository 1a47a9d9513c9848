#!/usr/bin/python

# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The module smtp_probe: documentation and argument spec; the work is in module_utils/smtp/probe.py.

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_probe
short_description: Ask a mail server which recipients it accepts
version_added: 0.1.0
author:
  - The mailops.split_domain developers (@mailops)
description:
  - Connects to an SMTP server as another mail server would, asks for each recipient with C(RCPT TO), and returns what
    the server answered.
  - No message is sent. The conversation never goes beyond C(RCPT).
  - When expected verdicts are given, the task fails with one message that names every recipient that is answered
    otherwise. This makes a check of a whole directory one task.
  - Many recipients are asked for over one connection, pipelined where the server offers it (RFC 2920). A recipient that
    is deferred in a transaction with others is asked for again in a separate one. Connections are replaced after nine
    rejections, before a server such as Postfix slows down or hangs up.
options:
  host:
    description:
      - Host name or IP address of the server to ask.
    type: str
    required: true
  addresses:
    description:
      - IP addresses to connect to in place of those that the name in O(host) has, as for a server that the DNS does not
        name yet. The first that can be connected to is asked.
    type: list
    elements: str
    default: []
  port:
    description:
      - TCP port of the server.
    type: int
    default: 25
  recipients:
    description:
      - The recipients to ask for, at least one, in the order in which they are returned.
      - Each entry is an address, or a dictionary of C(address) and C(expect).
      - C(expect) is one of V(accepted), V(refused) and V(deferred).
      - The local part goes to the server as it is written. A domain with non-ASCII characters is turned into A-labels.
        V(postmaster) may stand without a domain.
    type: list
    elements: raw
    required: true
  sender:
    description:
      - The envelope sender, V(<>) being the null sender that mail servers use for probes and bounces.
    type: str
    default: <>
  helo:
    description:
      - The name to introduce this host with.
      - The fully qualified name of the host that runs the task when not given.
    type: str
  timeout:
    description:
      - How many seconds to wait for the connection, and for each reply.
      - A server that itself asks the next hop may take some seconds to answer. This is call-ahead (recipient address
        verification in Postfix, callout in Exim).
    type: int
    default: 30
  tls:
    description:
      - How the identity of the server is checked, with Postfix's names. If the check fails, the server is not asked,
        and no password is sent.
      - V(none) never encrypts. V(may) encrypts when the server offers STARTTLS, and goes on in plain text when that
        fails. V(encrypt) fails where there is no TLS, and takes any certificate unless O(validate_certs) is set.
      - V(verify) wants a certificate that names O(tls_names) and comes from an authority that is known, see
        O(authorities). V(fingerprint) wants one of O(fingerprints).
      - V(dane-only) wants the key that signed TLSA records of the host name (RFC 7672), as this host's resolvers prove
        them. V(dane) does so where there are such records, and is V(may) otherwise. Records with usage 2 need Python
        3.10 or newer.
      - V(may) when not given, and V(verify) where O(username) is given.
    type: str
    choices:
      - none
      - may
      - encrypt
      - verify
      - fingerprint
      - dane
      - dane-only
  tls_names:
    description:
      - With V(verify), the names one of which the certificate has to have. O(host) when omitted.
      - Required where O(host) is an address.
    type: list
    elements: str
  fingerprints:
    description:
      - With V(fingerprint), the SHA-256 fingerprints one of which the certificate or its public key has to have, in
        hexadecimal with or without colons.
    type: list
    elements: str
  authorities:
    description:
      - Whose certificates are believed with V(verify).
      - V(system) believes those that this host trusts.
      - V(mail_server) believes those that the mail server on this host believes when it sends, by C(smtp_tls_CAfile),
        C(smtp_tls_CApath) and C(tls_append_default_CA), and introduces the server's name as it does
        (C(smtp_tls_servername)), with what C(master.cf) says for the service C(relay) alone. That may be nobody. On a
        host without a mail server it is V(system).
    type: str
    choices:
      - system
      - mail_server
    default: system
  ca_file:
    description: A file with the certificates (PEM) of the only authorities that are believed.
    type: path
  ca_path:
    description: A folder of such certificates, hashed as C(openssl rehash) does it.
    type: path
  config_directory:
    description: The configuration directory of the Postfix that O(authorities=mail_server) is about.
    type: path
    default: /etc/postfix
  username:
    description:
      - Log in as this user before asking. Needs an entry for O(host) and O(port) in O(passwords), and a policy that
        sends nothing in clear.
      - The server has to prove who it is before, unless O(tls=encrypt) and O(validate_certs=false).
    type: str
  passwords:
    description:
      - Passwords by server, as O(mailops.split_domain.split_domains#module:passwords) takes them. Others than the one
        for O(host) and O(port) are ignored.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The host.
        type: str
        required: true
      port:
        description: The port.
        type: int
        default: 25
      password:
        description: The password.
        type: str
        required: true
  least_size:
    description:
      - Warn where the server takes only smaller messages than this, in bytes (RFC 1870).
      - The C(message_size_limit) of a Postfix server that sends to it is what is wanted there.
    type: int
  validate_certs:
    description:
      - With O(tls=encrypt), whether it is V(verify) all the same.
      - The default is V(true) where O(username) is given, and V(false) otherwise. With V(false) the password goes to
        whoever answers, and the task warns of that.
    type: bool
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
  - The module runs where the question is to be asked from. Servers answer peers, users and strangers differently.
  - Some servers take every recipient at C(RCPT) and bounce later. Ask for an address that cannot exist to find out.
  - Many questions for recipients that do not exist look like an attack to a server. Ask your own, or those whose owners
    know of it.
seealso:
  - module: mailops.split_domain.recipient_routes
"""

EXAMPLES = r"""
- name: Ask a server about three recipients
  mailops.split_domain.smtp_probe:
    host: mx1.example.com
    recipients:
      - alice@example.com
      - bob@example.com
      - nobody@example.com
  register: probe

- name: Show the recipients that were rejected
  ansible.builtin.debug:
    msg: "{{ probe.recipients | selectattr('verdict', 'equalto', 'refused') | map(attribute='address') }}"

- name: Fail unless known recipients are accepted and unknown ones are rejected, over TLS
  mailops.split_domain.smtp_probe:
    host: mx1.example.com
    tls: encrypt
    recipients:
      - address: alice@example.com
        expect: accepted
      - address: nobody@example.com
        expect: refused


- name: Make sure that the server is no open relay
  mailops.split_domain.smtp_probe:
    host: mx1.example.com
    sender: someone@example.org
    recipients:
      - address: someone@elsewhere.example.net
        expect: refused
"""

RETURN = r"""
recipients:
  description: The answers, in the order of O(recipients).
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address as it was sent to the server.
      type: str
      sample: alice@example.com
    code:
      description: The reply code of RFC 5321.
      type: int
      sample: 550
    enhanced:
      description: The enhanced status code of RFC 3463, or V(null) when the server gave none.
      type: str
      sample: 5.1.1
    text:
      description: What the server said, in one line, without the codes.
      type: str
      sample: '<nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table'
    verdict:
      description: V(accepted) for codes 2yz, V(deferred) for 4yz, V(refused) for 5yz.
      type: str
      sample: refused
reply:
  description: What the server said, when it ended the conversation before any recipient was asked for.
  returned: failure, when the server gave a reply
  type: dict
  contains:
    code:
      description: The reply code of RFC 5321.
      type: int
      sample: 554
    enhanced:
      description: The enhanced status code of RFC 3463, or V(null) when the server gave none.
      type: str
      sample: 5.7.1
    text:
      description: What the server said, in one line, without the codes.
      type: str
      sample: No SMTP service here
size:
  description: The size in bytes of the largest message that the server takes, or V(null) when it does not say.
  returned: success
  type: int
  sample: 10240000
tls:
  description: The version of TLS that was used, or V(null) when the conversation was in plain text.
  returned: success
  type: str
  sample: TLSv1.3
"""

from functools import partial

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_module import run_module
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.signed_records import ask_for_proof
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.tls_authorities import (
    read_authorities,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import TLS_POLICIES
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.probe import work

PASSWORD = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int", "default": 25},
    "password": {"type": "str", "required": True, "no_log": True},
}


def main() -> None:
    """Read the arguments and do the work."""
    run_module(
        {
            "host": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 25},
            "recipients": {"type": "list", "elements": "raw", "required": True},
            "sender": {"type": "str", "default": "<>"},
            "helo": {"type": "str"},
            "timeout": {"type": "int", "default": 30},
            "tls": {"type": "str", "choices": list(TLS_POLICIES)},
            "tls_names": {"type": "list", "elements": "str"},
            "fingerprints": {"type": "list", "elements": "str"},
            "authorities": {"type": "str", "choices": ["system", "mail_server"], "default": "system"},
            "ca_file": {"type": "path"},
            "ca_path": {"type": "path"},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
            "username": {"type": "str"},
            "least_size": {"type": "int"},
            "passwords": {"type": "list", "elements": "dict", "default": [], "options": PASSWORD, "no_log": False},
            "validate_certs": {"type": "bool"},
        },
        partial(work, ask_for_proof, read_authorities),
    )


if __name__ == "__main__":
    main()
