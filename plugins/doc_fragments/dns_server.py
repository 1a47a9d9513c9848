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
    required: true
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
      - Without any key requests are not signed.
    type: str
  key_secret:
    description:
      - Secret of the key, in base64. Keep it in a vault.
    type: str
  key_algorithm:
    description:
      - Algorithm of the key. With O(key_file) the file tells it.
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
    default: hmac-sha256
  key_file:
    description:
      - A BIND key file, as C(tsig-keygen) writes it, on the host that runs the module. Not together with O(key_secret).
    type: path
"""
