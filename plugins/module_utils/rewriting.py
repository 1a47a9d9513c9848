# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sub-domain routing: an address that is rewritten to one in the sub-domain of its site. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.addresses import parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_domain


@dataclass(frozen=True, order=True)
class Rewriting:
    """Mail goes to an address in ``subdomain``, whose own MX is asked; ``local_part`` None keeps the one that is."""

    subdomain: str
    local_part: Optional[str] = None

    def __str__(self) -> str:
        return f"{self.local_part or ''}@{self.subdomain}"


def parse_rewriting(text: str, owner: str) -> Rewriting:
    """Read ``user@cloud.example.com``, or ``@cloud.example.com`` for the same local part; raises InvalidInput."""
    bare = text.strip()
    try:
        if bare.startswith("@"):
            return Rewriting(canonical_domain(bare[1:]))
        address = parse_address(bare)
    except InvalidInput as error:
        raise InvalidInput(f"{owner} is rewritten to {text!r}: {error}") from error
    return Rewriting(address.domain, address.local_part)
