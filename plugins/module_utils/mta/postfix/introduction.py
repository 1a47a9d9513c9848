# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# How a Postfix server introduces itself where it verifies addresses: its name, sender and address. Private.

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import expanded, read_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tls_authorities import read_authorities
from ansible_collections.mailops.split_domain.plugins.module_utils.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.peer_verification import Introduction

_PARAMETERS = (
    "smtp_helo_name",
    "address_verify_sender",
    "myorigin",
    "smtp_bind_address",
    "inet_interfaces",
)
_NULL_SENDERS = ("", "<>")


def read_introduction(config_directory: str) -> Introduction:
    """Read what smtp(8) says of itself in the probes of verify(8) (postconf(5), address_verify_sender)."""
    values = expanded(config_directory, _PARAMETERS)
    sender = values["address_verify_sender"].strip()
    if sender in _NULL_SENDERS:
        sender = ""
    elif "@" not in sender:
        sender = f"{sender}@{_origin(values['myorigin'])}"
    return Introduction(values["smtp_helo_name"], sender, _source(values), read_authorities(config_directory))


def _origin(myorigin: str) -> str:
    """Give the domain that bare addresses get; as on Debian, it may be the first line of a file."""
    if not myorigin.startswith("/"):
        return myorigin
    lines = (read_text(Path(myorigin)) or "").split()
    return lines[0] if lines else "localhost"


def _source(values: Mapping[str, str]) -> str | None:
    """Give the address that smtp(8) binds to: the one it is told, or the only one that Postfix listens at."""
    interfaces = words(values["inet_interfaces"])
    for candidate in (values["smtp_bind_address"], *(interfaces if len(interfaces) == 1 else ())):
        bare = str(candidate).strip("[]")
        if is_ip_address(bare) and ":" not in bare and not bare.startswith(("127.", "0.")):
            return bare
    return None
