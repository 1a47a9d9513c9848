# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Other names of a split domain, in which each of its addresses has an address, too. Pure. Private.

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import read_list, shown


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
