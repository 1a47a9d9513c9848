# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Logging in at relays: the table of passwords that only root may read, and the parameters that go with it. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import HIDDEN
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    SplitConfiguration,
    table_text,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, place_of

PASSWORDS = "passwords"
MODE = 0o600
OPTIONS = "smtp_sasl_tls_security_options"


def plan_logins(servers: Iterable[Relay], given: Mapping[str, str], standing_table: str) -> dict[str, str]:
    """Give the rows of the password table (postconf(5), smtp_sasl_password_maps) for those servers with a user name.

    ``given`` are passwords by place; others stay as the ``standing_table`` has them. Raises InvalidInput for a user
    without any.
    """
    standing = _rows(standing_table)
    rows: dict[str, str] = {}
    for server in servers:
        if server.username is None:
            continue
        place, beginning = place_of(server), f"{server.username}:"
        if place in given:
            rows[place] = beginning + given[place]
        elif standing.get(place, "").startswith(beginning):
            rows[place] = standing[place]
        else:
            raise InvalidInput(
                f"the relay {place} has the username {server.username} and no password, here or on the server: "
                f"give it in the option passwords"
            )
    return rows


def with_logins(
    wanted: SplitConfiguration, rows: Mapping[str, str], tables: TableNames, options_are_set: bool
) -> SplitConfiguration:
    """Give a configuration with what lets Postfix log in with these rows; as it is without rows.

    By default Postfix sends no password that the relay could read, even over TLS, where most relays want just that.
    Whoever has set OPTIONS themselves is left alone.
    """
    if not rows:
        return wanted
    return replace(
        wanted,
        indexed_tables={**wanted.indexed_tables, PASSWORDS: table_text(rows.items())},
        first={**wanted.first, "smtp_sasl_password_maps": (tables.indexed(PASSWORDS),)},
        values={
            **wanted.values,
            "smtp_sasl_auth_enable": "yes",
            **({} if options_are_set else {OPTIONS: "noanonymous"}),
        },
    )


def standing_passwords(table: str) -> dict[str, str]:
    """Give the passwords in a table of ours, by place."""
    return {place: value.partition(":")[2] for place, value in _rows(table).items()}


def hidden_diff(path: str, before: str, after: str) -> Diff:
    """Give the diff of two password tables without a password in it."""
    shown_before, shown_after = _hidden(before), _hidden(after)
    if shown_before == shown_after:
        return Diff(path, "a password\n", "another password\n")
    return Diff(path, shown_before, shown_after)


def _rows(table: str) -> dict[str, str]:
    lines = (line.partition("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {place: value for place, _tab, value in lines}


def _hidden(table: str) -> str:
    return "".join(f"{place}\t{value.partition(':')[0]}:{HIDDEN}\n" for place, value in sorted(_rows(table).items()))
