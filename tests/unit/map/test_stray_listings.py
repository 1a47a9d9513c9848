# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of addresses that are listed only where they do not live: refused where their mail would never arrive.

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments

BOB = {"address": "bob@example.com", "site": "b"}


def split_map(targets: dict[str, str | None], **more: Any) -> list[dict[str, Any]]:
    sites = [
        {"name": name, "role": "master", "hosts": [f"{name}.example.net"], "unknown": target}
        for name, target in targets.items()
    ]
    return [{"domain": "example.com", "sites": sites, **more}]


def with_directory(entries: list[dict[str, Any]], site: str, *rows: dict[str, str]) -> list[dict[str, Any]]:
    (found,) = (one for one in entries[0]["sites"] if one["name"] == site)
    found["directory"] = [*found.get("directory", ()), *rows]
    return entries


def test_mail_that_would_go_round_between_a_list_and_a_home_that_does_not_know_of_it_is_refused() -> None:
    entries = with_directory(split_map({"b": "d", "d": "c", "c": None}), "c", BOB)
    with pytest.raises(InvalidInput) as refusal:
        server_arguments(entries, "d.example.net")
    assert str(refusal.value) == (
        "entry 1 of the 'directory' of the site c of example.com puts bob@example.com on the site b, which does not "
        "list it, so that its mail would go round (b -> d -> c -> b): list it in the 'directory' of example.com, too"
    )


def test_an_address_that_its_homes_sub_domain_would_refuse_is_refused() -> None:
    entries = with_directory(split_map({"b": None, "c": None}), "c", BOB)
    entries[0]["sites"][0]["subdomain"] = "b.example.com"
    with pytest.raises(InvalidInput, match=r"which does not list it, .* would be refused in b\.example\.com"):
        server_arguments(entries, "c.example.net")
    assert server_arguments(with_directory(entries, "b", BOB), "c.example.net")["domains"]


@pytest.mark.parametrize(
    "entries",
    [
        with_directory(split_map({"b": "d", "d": "c", "c": None}, directory=[BOB]), "c", BOB),
        with_directory(with_directory(split_map({"b": "d", "d": "c", "c": None}), "c", BOB), "b", BOB),
        with_directory(with_directory(split_map({"b": "d", "d": "c", "c": None}), "c", BOB), "d", BOB),
        with_directory(split_map({"b": "c", "c": None}), "c", BOB),
        with_directory(split_map({"b": None, "d": "c", "c": None}), "c", BOB),
    ],
    ids=["listed for all", "listed at home", "sent home by the next site", "a circle of two", "refused at home"],
)
def test_mail_that_comes_to_an_end_is_not(entries: list[dict[str, Any]]) -> None:
    assert server_arguments(entries, "b.example.net")["domains"]
