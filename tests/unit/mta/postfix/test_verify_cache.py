# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the search in verify(8)'s cache and of when it is made: no verdict on an address that matters is overlooked.

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.verdicts import (
    domains_asked_anew,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.verify_cache import VerifyCache

LOCAL_PARTS = st.from_regex(r"[A-Za-z0-9&'*=?_~-]+(\.[A-Za-z0-9&'*=?_~-]+){0,2}", fullmatch=True)
FALLBACK = "example.com\trelay:[192.0.2.1]:25\n"
ASKED = "?example.com\tsplit_domain_call_ahead\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> VerifyCache:
    return VerifyCache(f"btree:{tmp_path_factory.mktemp('cache')}/verify_cache")


def fill(cache: VerifyCache, content: bytes) -> None:
    assert cache.index is not None
    cache.index.write_bytes(content)


@given(LOCAL_PARTS, st.sampled_from(["", "+news", "+a+b"]), st.binary(max_size=20), st.binary(max_size=20))
def test_no_verdict_on_an_address_is_overlooked(
    cache: VerifyCache, user: str, extension: str, before: bytes, after: bytes
) -> None:
    # Before a key there is a byte of its length or type, which no address has (Berkeley DB, LMDB).
    fill(cache, before + b"\0" + f"{user}{extension}@Example.com".encode() + after)
    assert cache.may_tell_of("example.com", {user.lower()}, "+")
    assert cache.may_tell_of("example.com")


@given(LOCAL_PARTS)
def test_verdicts_on_others_are_no_reason_to_forget(cache: VerifyCache, user: str) -> None:
    fill(cache, b"\1" + f"{user}@example.com".encode() + b"\x000:0:1:250 Ok\1bob@example.org\0")
    assert not cache.may_tell_of("example.com", {f"{user.lower()}x", f"x{user.lower()}", "bob"}, "+")
    assert not cache.may_tell_of("example.net")


def test_a_cache_that_is_not_there_tells_nothing_and_one_in_memory_may_tell_everything(tmp_path: Path) -> None:
    assert not VerifyCache(f"btree:{tmp_path}/none").may_tell_of("example.com")
    assert VerifyCache("").may_tell_of("example.com", {"bob"}, "+")


@pytest.mark.parametrize(
    ("table", "index"),
    [
        ("btree:/var/lib/postfix/verify_cache", "/var/lib/postfix/verify_cache.db"),
        ("proxy:btree:/var/lib/postfix/verify_cache", "/var/lib/postfix/verify_cache.db"),
        ("lmdb:/var/lib/postfix/verify_cache", "/var/lib/postfix/verify_cache.lmdb"),
        ("memcache:/etc/postfix/verify.cf", None),
        ("btree:relative", None),
        ("", None),
    ],
)
def test_the_file_of_a_cache_is_known_by_its_type(table: str, index: str | None) -> None:
    cache = VerifyCache(table)
    assert cache.index == (Path(index) if index else None)
    assert cache.can_be_forgotten == (index is not None or not table)


@pytest.mark.parametrize(
    ("before", "after", "asked_anew"),
    [
        ("", FALLBACK + ASKED, ["example.com"]),
        (FALLBACK + ASKED, FALLBACK + ASKED, []),
        (FALLBACK + ASKED, FALLBACK.replace(".1]", ".2]") + ASKED, ["example.com"]),
        (FALLBACK + ASKED, FALLBACK + ASKED.replace("call_ahead", "verified"), ["example.com"]),
        (FALLBACK + ASKED.replace("call_ahead", "unverified_refuses"), FALLBACK + ASKED, ["example.com"]),
        (FALLBACK + ASKED, FALLBACK + ASKED.replace("call_ahead", "unverified_refuses"), []),
        (FALLBACK + ASKED, FALLBACK + ASKED.replace("call_ahead", "skip"), []),
        (FALLBACK + ASKED, "", []),
        (FALLBACK + ASKED, FALLBACK + ASKED + "example.org\tlocal:\n?example.org\tsplit_domain_refuse_unlisted\n", []),
    ],
)
def test_verdicts_matter_where_a_domain_is_asked_for_that_was_not_or_elsewhere(
    before: str, after: str, asked_anew: list[str]
) -> None:
    assert domains_asked_anew(f"# ours\n{before}", f"# ours\n{after}") == asked_anew
