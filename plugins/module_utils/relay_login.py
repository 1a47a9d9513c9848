# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Logging in at a relay (SMTP AUTH): user names, and passwords, which never stand where others can read them. Pure.

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_tls import ALWAYS_ENCRYPTED
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import shown_name


def parse_username(value: Any, tls: str, owner: str) -> str | None:
    """Read the user name for a relay with the TLS policy ``tls``; raises InvalidInput where it could be overheard."""
    if value is None:
        return None
    # sasl_passwd ends the name at the first colon.
    if not _is_plain(value) or ":" in value:
        raise InvalidInput(
            f"{owner} has the username {shown_name(value)}: write a text without colons, line breaks, control "
            f"characters and white space at its ends"
        )
    if tls not in ALWAYS_ENCRYPTED:
        raise InvalidInput(
            f"{owner} has a username and tls {tls}, so that its password could be sent in clear: "
            f"set tls to one of {', '.join(ALWAYS_ENCRYPTED)}"
        )
    return str(value)


def parse_password(value: Any, owner: str) -> str:
    """Read the password for a relay; raises InvalidInput, which does not tell it."""
    if not _is_plain(value):
        raise InvalidInput(
            f"{owner} has a password that cannot be used: write a text without line breaks, control characters and "
            f"white space at its ends, in quotes"
        )
    return str(value)


def _is_plain(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value == value.strip() != ""
        and all(one == " " or one.isprintable() for one in value)
    )
