# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of DANE with a signed zone and a resolver that validates: who proves to be the relay gets the mail, nobody else.

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from dane_sites import Sites, dane_sites
from split_network import Network

SUPPORT = "smtp_dns_support_level"


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with dane_sites(network) as made:
        yield made


def warnings_of(result: dict[str, Any]) -> list[str]:
    return [str(text) for text in result.get("warnings", ()) if "has tls dane" in str(text)]


@pytest.mark.parametrize("tls", ["dane", "dane-only"])
@pytest.mark.parametrize("host", ["right.signed", "alias.signed"])
def test_who_has_the_key_that_the_signed_record_names_gets_the_mail_verified(sites: Sites, host: str, tls: str) -> None:
    assert not warnings_of(sites.split(host, tls))
    before = len(sites.connections(host))
    assert sites.answer().startswith("250")
    assert "status=sent" in sites.send(host, tls)
    made = sites.connections(host)[before:]
    assert made and set(made) == {"Verified"}


@pytest.mark.parametrize("tls", ["dane", "dane-only"])
@pytest.mark.parametrize("host", ["wrong.signed", "forged.signed"])
def test_mail_waits_while_the_key_is_another_or_the_record_is_forged(sites: Sites, host: str, tls: str) -> None:
    sites.split(host, tls)
    assert sites.answer().startswith("450")
    assert "status=deferred" in sites.send(host, tls)
    assert "Verified" not in sites.connections(host)


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("bare.signed", "there are no TLSA records of"),
        ("right.plain", "the address of its host is in no signed zone"),
    ],
)
def test_without_signed_records_dane_is_any_tls_and_dane_only_waits_and_the_run_says_so(
    sites: Sites, host: str, why: str
) -> None:
    (said,) = warnings_of(sites.split(host, "dane"))
    assert why in said and "its mail goes with nothing verified" in said
    assert sites.answer().startswith("250")
    assert "status=sent" in sites.send(host, "dane")
    connections = sites.connections(host)
    assert connections
    assert "Verified" not in connections
    (said,) = warnings_of(sites.split(host, "dane-only"))
    assert why in said and "all mail for it waits" in said
    assert sites.answer().startswith("450")
    assert "status=deferred" in sites.send(host, "dane-only")


@pytest.fixture
def without_tls(sites: Sites) -> Iterator[Sites]:
    """The sites while hq, or somebody on the way, says that it has no TLS."""
    before = sites.hq.main_cf.read_text()
    sites.hq.define("smtpd_tls_security_level = none\n")
    sites.hq.restart()
    yield sites
    sites.hq.main_cf.write_text(before)
    sites.hq.restart()


def test_nothing_goes_in_clear_where_signed_records_promise_tls(without_tls: Sites) -> None:
    for host in ("right.signed", "unusable.signed"):
        assert "status=deferred" in without_tls.send(host, "dane")
        assert without_tls.answer().startswith("450")
    without_tls.split("bare.signed", "dane")
    assert without_tls.answer().startswith("250")


def test_records_that_mail_servers_do_not_take_prove_nothing_and_the_run_says_so(sites: Sites) -> None:
    host = "unusable.signed"
    (said,) = warnings_of(sites.split(host, "dane"))
    assert "none of the usages 2 and 3" in said and "its mail goes with nothing verified:" in said
    assert sites.answer().startswith("250")
    connections = sites.connections(host)
    assert connections
    assert "Verified" not in connections
    (said,) = warnings_of(sites.split(host, "dane-only"))
    assert "all mail for it waits" in said
    assert sites.answer().startswith("450")


def test_a_record_that_cannot_be_had_is_told(sites: Sites) -> None:
    (said,) = warnings_of(sites.split("forged.signed", "dane"))
    assert "does not say that there are none (SERVFAIL)" in said and "all mail for it waits" in said


def test_a_resolver_that_does_not_validate_is_told(sites: Sites) -> None:
    # A server that serves the zone itself never says that it has verified it.
    with sites.names.asking(sites.cloud.network.lab):
        (said,) = warnings_of(sites.split("right.signed", "dane-only"))
        assert f"({sites.cloud.network.lab}) does not validate" in said and "all mail for it waits" in said
        assert sites.answer().startswith("450")
        (said,) = warnings_of(sites.split("right.signed", "dane"))
        assert "its mail goes with nothing verified, and in clear where it offers no TLS" in said
    assert not warnings_of(sites.split("right.signed", "dane"))


def test_postfix_is_told_to_ask_for_proof_only_while_a_relay_needs_it(sites: Sites) -> None:
    cloud = sites.cloud
    cloud.split(purge=True)
    cloud.routes("example.com", routes=[], state="exact")
    before = cloud.main_cf.read_text()
    sites.split("right.signed", "may")
    assert cloud.command("postconf", "-h", SUPPORT).stdout == "enabled\n"
    domain = sites.domain("right.signed", "dane")
    foreseen, done = cloud.split(domain, check=True), cloud.split(domain)
    assert foreseen["diff"] == done["diff"] and SUPPORT in str(done["diff"])
    assert cloud.command("postconf", "-h", SUPPORT).stdout == "dnssec\n"
    times = cloud.times()
    assert not cloud.split(domain)["changed"] and cloud.times() == times
    sites.split("right.signed", "encrypt")
    assert cloud.command("postconf", "-h", SUPPORT).stdout == "enabled\n"
    cloud.split(domain)
    cloud.split(purge=True)
    assert cloud.main_cf.read_text() == before


@pytest.mark.parametrize(
    "setting",
    [
        "smtp_host_lookup = native",
        "disable_dns_lookups = yes",
        "smtp_dns_support_level = disabled",
        "smtp_dns_resolver_options = res_dnsrch",
        "ignore_mx_lookup_error = yes",
    ],
)
def test_a_server_whose_own_settings_make_an_end_of_dane_is_left_as_it_is(sites: Sites, setting: str) -> None:
    cloud = sites.cloud
    cloud.split(purge=True)
    before = cloud.main_cf.read_text()
    theirs = before.replace("smtp_dns_support_level  =  enabled", setting)
    cloud.main_cf.write_text(theirs)
    # Postfix waits for a main.cf that was written just now to be finished.
    os.utime(cloud.main_cf, (1_000_000_000, 1_000_000_000))
    result = cloud.run("split_domains", domains=[sites.domain("right.signed", "dane")])
    assert result["failed"] and f"Postfix looks for no signed records with {setting}" in result["msg"]
    assert cloud.main_cf.read_text() == theirs
    cloud.main_cf.write_text(before)
    os.utime(cloud.main_cf, (1_000_000_000, 1_000_000_000))
