# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The lookup tables in a server's own settings: which they are, and what they have. Private.

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import CommandFailed
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    complains,
    expanded,
    failure,
    is_running,
    run,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words

_ALIASES = "virtual_alias_maps"
_PROXY = "proxy:"


def own_tables(config_directory: str, parameters: Sequence[str], own_directory: str) -> dict[str, tuple[str, ...]]:
    """Give the lookup tables of each parameter that are the server's own and not ours."""
    found = expanded(config_directory, parameters)
    return {
        name: tuple(table for table in words(found.get(name, "")) if ":" in table and own_directory not in table)
        for name in parameters
    }


def asked(config_directory: str, table: str, keys: Sequence[str]) -> dict[str, str]:
    """Give the values of those keys that a lookup table has; raises CommandFailed when it cannot be asked."""
    # proxymap(8) answers only while Postfix runs, and postmap(1) would wait for it.
    reachable = table if _PROXY not in table or is_running(config_directory) else table.replace(_PROXY, "")
    arguments = ["postmap", "-q", "-", reachable]
    result = run(arguments, config_directory, "".join(f"{key}\n" for key in keys))
    if complains(result):
        raise failure(arguments, config_directory, result)
    lines = (line.partition("\t") for line in result.stdout.splitlines() if line.strip())
    return {key: value for key, _tab, value in lines}


def has_own_catch_all(config_directory: str, own_directory: str, domain: str) -> bool:
    """Tell whether an alias table of the server's own has a catch-all for the domain, or cannot be asked."""
    try:
        tables = own_tables(config_directory, [_ALIASES], own_directory)[_ALIASES]
        return any(asked(config_directory, table, [f"@{domain}"]) for table in tables)
    except CommandFailed:
        return True
