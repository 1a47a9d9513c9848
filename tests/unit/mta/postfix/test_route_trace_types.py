# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of which tables Postfix asks for parts of an address, and which have rules that it leaves out.

from __future__ import annotations

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.types import (
    substitutes,
    takes_parts,
)

CONFIGURATIONS = {
    "/whole.cf": "hosts = db.example.net\nquery = SELECT a FROM b WHERE c = '%s'\nresult_format = %u\n",
    "/apart.cf": "query = SELECT a FROM b\n  WHERE user = '%u' AND domain = '%d'\n",
    "/limited.cf": "domain = example.com\nquery = SELECT a FROM b WHERE c = '%s'\n",
    "/fixed": "# /(a)/ $1\n/^(.*)@a$/ relay:[b]\n!/x$y/ smtp:$$1\n",
    "/parts": "if /a/\n/^(.*)@a$/i\n  relay:[$1]\nendif\n",
    "/levels.cf": "search_base = dc=%2,dc=%1\nquery_filter = (mail=%s)\n",
}


@pytest.mark.parametrize(
    "table",
    [
        "lmdb:/etc/aliases", "inline:{a=b}", "static:x", "unix:passwd.byname", "proxy:unix:passwd.byname", "/no/type",
        "pgsql:/whole.cf", "proxy:mysql:/whole.cf", "pipemap:{lmdb:/a, regexp:/b}", "unionmap:{pgsql:/whole.cf}",
    ],
)  # fmt: skip
def test_tables_with_keys_are_asked_for_parts(table: str) -> None:
    assert takes_parts(table, CONFIGURATIONS.__getitem__)


@pytest.mark.parametrize(
    "table",
    [
        "regexp:/a", "pcre:{{/a/ b}}", "proxy:pcre:/a", "tcp:host:1", "socketmap:inet:h:1:n", "pgsql:/apart.cf",
        "proxy:pgsql:/limited.cf", "ldap:/levels.cf", "pipemap:{regexp:/b, lmdb:/a}", "pipemap:{proxy:pgsql:/apart.cf}",
    ],
)  # fmt: skip
def test_tables_of_patterns_and_queries_that_take_keys_apart_are_not(table: str) -> None:
    assert not takes_parts(table, CONFIGURATIONS.__getitem__)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("regexp:/parts", True),
        ("proxy:pcre:/parts", True),
        ("pipemap:{lmdb:/a, regexp:/parts}", True),
        ("regexp:{{/^(.*)@a$/ relay:${1}}}", True),
        ("regexp:/fixed", False),
        ("regexp:{{/^(.*)@a$/ relay:b}}", False),
        ("lmdb:/parts", False),
    ],
)
def test_patterns_that_put_a_part_of_the_key_into_their_result_are_seen(table: str, expected: bool) -> None:
    assert substitutes(table, CONFIGURATIONS.__getitem__) is expected
