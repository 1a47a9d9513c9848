# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The documentation of the options that name a DNS server and the key to sign requests with.

from __future__ import annotations


class ModuleDocFragment:
    """The options of every module that speaks with one DNS server."""

    DOCUMENTATION = r"""
options:
  server:
    description:
      - Address or host name of the DNS server, which for updates is the primary server of the zones.
    type: str
  port:
    description:
      - Port of the DNS server.
    type: int
    default: 53
  protocol:
    description:
      - How to speak with the server. With V(udp) a message larger than 1,232 octets goes over TCP all the same.
    type: str
    choices: [tcp, udp]
    default: tcp
  timeout:
    description:
      - The longest silence of the server in seconds. It is a failure, never an answer.
    type: float
    default: 10.0
  key_name:
    description:
      - Name of the TSIG key that signs every request. A reply that is not signed with the same key is a failure.
      - With O(key_file) it chooses one key of that file.
      - Where none of the options of the key is given, the key is that of the environment on the host that runs the
        module. E(SPLIT_DOMAIN_DNS_KEY_NAME), E(SPLIT_DOMAIN_DNS_KEY_SECRET), E(SPLIT_DOMAIN_DNS_KEY_ALGORITHM) and
        E(SPLIT_DOMAIN_DNS_KEY_FILE) mean what the options mean. One option that is given sets all variables aside.
      - Do not set the variable of the secret by C(environment) of a task, because Ansible writes that on a command line
        and shows it in verbose output. A task on the controller has the variables that Ansible was started with.
      - Without any key requests are not signed.
    type: str
  key_secret:
    description:
      - Secret of the key, in base64. Keep it in a vault.
    type: str
  key_algorithm:
    description:
      - Algorithm of the key, V(hmac-sha256) where nothing tells it. With O(key_file) the file tells it.
      - BIND does not know those that end in a number of bits (RFC 8945 section 6). A key that its configuration calls
        V(hmac-sha256-128) is V(hmac-sha256) here, and so on. With O(key_file) that is done without being told.
    type: str
    choices:
      - hmac-md5
      - hmac-sha1
      - hmac-sha224
      - hmac-sha256
      - hmac-sha256-128
      - hmac-sha384
      - hmac-sha384-192
      - hmac-sha512
      - hmac-sha512-256
  key_file:
    description:
      - A BIND key file, as C(tsig-keygen) writes it, on the host that runs the module. Not together with O(key_secret).
      - It is rejected if others than its owner can read or write it. The group may read it if it has the name of the
        owner. A file of root that the group C(bind) or C(named) can read is accepted with a warning.
    type: path
"""
