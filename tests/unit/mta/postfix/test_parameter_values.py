# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of parameter values: which spellings are the same, and which values are refused before Postfix meets them.

from __future__ import annotations

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.parameter_values import (
    fault,
    same_value,
)

TYPES = frozenset({"lmdb", "static", "cidr", "pipemap", "proxy", "inline"})


@pytest.mark.parametrize(
    ("name", "one", "other", "default"),
    [
        ("mynetworks", "a b", "a,b", "x"),
        ("smtpd_recipient_restrictions", "check_x a, reject", "check_x  a\treject", ""),
        ("smtpd_tls_auth_only", "Yes", "yes", "no"),
    ],
)
def test_spellings_that_mean_the_same_are_no_change(name: str, one: str, other: str, default: str) -> None:
    assert same_value(name, one, other, default)


@pytest.mark.parametrize(
    ("name", "one", "other", "default"),
    [
        ("mynetworks", "a b", "b a", "x"),
        ("smtpd_banner", "a b", "a, b", "x"),
        ("transport_maps", "lmdb:/A", "lmdb:/a", ""),
        ("smtpd_tls_auth_only", "yes", "no", "no"),
    ],
)
def test_values_that_differ_are_a_change(name: str, one: str, other: str, default: str) -> None:
    assert not same_value(name, one, other, default)


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("maximal_queue_lifetime", "1w", "5d"),
        ("maximal_queue_lifetime", "3600", "5d"),
        ("maximal_queue_lifetime", "$bounce_queue_lifetime", "5d"),
        ("compatibility_level", "3.6", "0"),
        ("smtpd_forbid_bare_newline", "normalize", "no"),
        ("html_directory", "/usr/share/doc", "no"),
        ("default_destination_concurrency_negative_feedback", "1/concurrency", "1"),
        ("transport_maps", "pipemap:{lmdb:/x, static:OK}, proxy:lmdb:/y $alias_maps /bare", ""),
        ("smtpd_client_restrictions", "check_client_access cidr:/x, permit", ""),
        ("our_own", "anything", None),
    ],
)
def test_value_that_postfix_takes_has_no_fault(name: str, value: str, default: str) -> None:
    assert fault(name, value, default, TYPES) is None


@pytest.mark.parametrize(
    ("name", "value", "default", "told"),
    [
        ("maximal_queue_lifetime", "5 days", "5d", "time"),
        ("smtpd_recipient_limit", "", "1000", "number"),
        ("smtpd_tls_auth_only", "1", "no", "yes or no"),
        ("transport_maps", "lmdb:/x, proxy:hash:/y", "", "type hash"),
        ("smtpd_client_restrictions", "permit, check_client_access hash:/x", "", "type hash"),
    ],
)
def test_value_that_a_daemon_would_stumble_over_is_told(name: str, value: str, default: str, told: str) -> None:
    assert told in (fault(name, value, default, TYPES) or "")
