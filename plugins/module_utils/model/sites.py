# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A site of a split domain: its name and role, its catch-all, and other names of the domain. Pure. Private.

from __future__ import annotations

import re
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_recipient
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import read_list, shown, shown_name

MASTER = "master"
SLAVE = "slave"
ROLES = (MASTER, SLAVE)
# ASCII: without it IGNORECASE takes the Kelvin sign for a k.
_SITE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.IGNORECASE | re.ASCII)
# The key of the split domains that the server's own settings have already.
LAID_OVER = "laid_over"


def parse_site_name(value: Any, owner: str) -> str:
    """Read a site's name: letters, digits, hyphens and underscores; raises InvalidInput for anything else."""
    if not isinstance(value, str) or not _SITE_NAME.fullmatch(value):
        raise InvalidInput(
            f"{owner} has a site named {shown_name(value)}: use a short name of letters, digits, hyphens and "
            "underscores"
        )
    return str(value)


def parse_catch_all(value: Any, domain: str, owner: str) -> str | None:
    """Read the address of a catch-all mailbox, None where there is none; raises InvalidInput."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"{owner} has catch_all {shown(value)}: write one address, as info@{domain}")
    try:
        return str(parse_recipient(value, domain))
    except InvalidInput as error:
        raise InvalidInput(f"{owner} has a catch_all that cannot be used: {error}") from error


# Other names of a split domain, in which each of its addresses has an address, too.


def parse_alias_domains(value: Any, domain: str) -> tuple[str, ...]:
    """Read the alias domains of ``domain``, sorted; raises InvalidInput for what is no list of other mail domains."""
    if value is None:
        return ()
    names = set()
    for entry in read_list(value, f"'alias_domains' of {domain}", "a list of mail domains"):
        if not isinstance(entry, str):
            raise InvalidInput(f"'alias_domains' of {domain} has {shown(entry)}: write each as a mail domain")
        names.add(canonical_domain(entry))
    if domain in names:
        raise InvalidInput(f"{domain} is named as an alias domain of itself: name its other domains only")
    return tuple(sorted(names))
