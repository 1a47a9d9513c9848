# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the order of steps around TLS policies: a run that is killed leaves none that Postfix would pass over.

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.staging import WriteMainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.safe_order import in_safe_order
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import TableChange
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import TableType
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import (
    ReloadIfDue,
    WriteTable,
)

PLACE = "[mx.example.net]:25"
WITHOUT, WITH = "myhostname = a.example.com\n", "myhostname = a.example.com\nsmtp_dns_support_level = dnssec\n"


def order(main_cf_before: str, main_cf_after: str, row_before: str | None, row_after: str) -> list[str]:
    """Give what is done to TLS policies and main.cf, in its order."""
    server = PostfixServer("/etc/postfix", {}, MainCf(main_cf_before), frozenset())
    change = TableChange(
        config_directory="/etc/postfix",
        path=Path("/etc/postfix/split_domain/tls_policy"),
        type=TableType("lmdb", ".lmdb"),
        before=row_before and f"{PLACE}\t{row_before}\n",
        after=f"{PLACE}\t{row_after}\n",
        reasons=(),
        index_work="update",
        rights=FileRights(),
    )
    steps = in_safe_order(server, {"tls_policy": change}, WriteMainCf(server, MainCf(main_cf_after)))
    names = {WriteTable: "policies", WriteMainCf: "main.cf", ReloadIfDue: "reload"}
    return [names[type(step)] for step in steps]


@pytest.mark.parametrize("policy", ["dane", "dane-only"])
def test_dane_takes_the_place_of_another_policy_when_postfix_asks_for_proof(policy: str) -> None:
    assert order(WITHOUT, WITH, "fingerprint match=AB", policy) == ["main.cf", "reload", "policies"]


def test_dane_leaves_before_postfix_no_longer_asks_for_proof() -> None:
    assert order(WITH, WITHOUT, "dane", "fingerprint match=AB") == ["policies", "main.cf"]


@pytest.mark.parametrize("main_cf", [WITHOUT, WITH])
def test_a_table_stands_before_main_cf_names_it(main_cf: str) -> None:
    assert order(WITHOUT, main_cf + "smtp_tls_policy_maps = x\n", None, "dane") == ["policies", "main.cf"]
