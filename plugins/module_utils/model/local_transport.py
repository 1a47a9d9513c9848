# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: three kinds of settings have one. How a server delivers to its own mailboxes: transport(5). Pure.

from __future__ import annotations

import re
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput

# transport[:nexthop] of transport(5), without what main.cf would expand or take for a new word
_TRANSPORT = re.compile(r"[a-z0-9][a-z0-9_.-]*:(?:(?![$,{}#\"])[!-~])*", re.IGNORECASE | re.ASCII)


def parse_local_transport(value: Any, owner: str) -> str | None:
    """Read a ``transport:nexthop`` of transport(5); None stays None, a bare transport gets its colon."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    text = text if ":" in text else f"{text}:"
    if not _TRANSPORT.fullmatch(text):
        raise InvalidInput(
            f"{owner} has local_transport {value!r}: write transport:nexthop, as in lmtp:unix:private/dovecot-lmtp"
        )
    if text.startswith("virtual:"):
        raise InvalidInput(
            f"{owner} has local_transport {value!r}, but virtual(8) looks up a path for each mailbox and cannot "
            f"deliver by route: name another one, such as lmtp:unix:private/dovecot-lmtp"
        )
    return text
