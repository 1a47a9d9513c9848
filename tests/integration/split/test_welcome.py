# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of how a server that judges its clients receives another site: not at all for their domain, else as anybody.

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from greylisting import greylisting
from sent_mail import DISCARDED, delivered, send, wait_until
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

# As servers do: a list of bad clients (such as a DNSBL), of bad names, of bad senders (such as SPF), and greylisting.
JUDGING = """
smtpd_client_restrictions = check_client_access cidr:{config}/listed
smtpd_helo_restrictions = check_helo_access inline:{{ {{client.example.org = 550 5.7.1 bad name}} }}
smtpd_sender_restrictions = check_sender_access inline:{{ {{sender@example.org = 550 5.7.23 SPF says no}} }}
smtpd_recipient_restrictions = {greylisting}
smtpd_client_connection_rate_limit = 3
smtpd_client_event_limit_exceptions =
"""
LISTED = "554 5.7.1"


@dataclass(frozen=True)
class Sites:
    """hq, and a site that judges everybody who is on its list of bad clients."""

    hq: SplitServer
    cloud: SplitServer

    def judge(self, *lines: str) -> None:
        """Have cloud list clients, and start counting them anew."""
        (self.cloud.config / "listed").write_text("".join(f"{line}\n" for line in lines))
        self.cloud.restart()


def domains(server: SplitServer, *names: str, managed: bool = True) -> list[dict[str, Any]]:
    peer = {"site": "hq", "relay": {"host": server.network.hq, "port": server.port}, "managed": managed}
    lab = {"site": "lab", "relay": {"host": "198.51.100.30"}}
    return [
        *({"domain": name, "site": "cloud", "peers": [peer]} for name in names),
        {"domain": "example.org", "site": "cloud", "peers": [lab]},
    ]


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq"))
        cloud = servers.enter_context(configured_server(network, "cloud"))
        found = Sites(hq, cloud)
        asked = servers.enter_context(greylisting(cloud.directory / "greylisting"))
        cloud.define(JUDGING.format(config=cloud.config, greylisting=asked))
        (cloud.config / "listed").write_text("")
        for name in ("example.com", "example.org"):
            known = [{"address": f"bob@{name}", "to": "local"}]
            cloud.routes(name, routes=known, local_transport=DISCARDED)
        cloud.split(*domains(cloud, "example.com"))
        to_cloud = {"host": cloud.address, "port": cloud.port}
        hq.routes("example.com", routes=[{"address": "bob@example.com", "to": [to_cloud]}])
        hq.split({"domain": "example.com", "peers": [{"site": "cloud", "relay": to_cloud, "managed": True}]})
        hq.start()
        cloud.start()
        yield found


def test_a_site_is_not_judged_with_mail_of_its_domain_and_is_with_all_other_mail(sites: Sites) -> None:
    everybody = "0.0.0.0/0 554 5.7.1 listed"
    sites.judge(everybody)
    assert sites.cloud.ask("bob@example.com", "hq").code == 250
    assert sites.cloud.ask("BOB+news@Example.COM", "hq").code == 250
    assert str(sites.cloud.ask("nobody@example.com", "hq")).startswith("550 5.1.1")
    for recipient in ("bob@example.org", "carl@example.net", "bob@sub.example.com"):
        assert str(sites.cloud.ask(recipient, "hq")).startswith(LISTED), recipient
    assert str(sites.cloud.ask("bob@example.com", "outside")).startswith(LISTED)
    assert str(sites.cloud.ask("bob@example.com", "lab")).startswith(LISTED)


@pytest.mark.parametrize("recipient", ["carl@example.net", "bob@example.org"])
def test_names_senders_and_greylisting_are_judged_as_before_with_other_mail(sites: Sites, recipient: str) -> None:
    sites.judge()
    assert str(sites.cloud.ask(recipient, "hq")).startswith("550 5.7")


def test_a_site_is_trusted_with_nothing_else(sites: Sites) -> None:
    sites.judge()
    for recipient in (
        "someone@elsewhere.test",
        "bob@sub.example.com",
        "bob%elsewhere.test@example.com",
        "@example.com:bob@elsewhere.test",
        '"bob@elsewhere.test"@example.com',
        '"bob@example.com"@elsewhere.test',
    ):
        assert sites.cloud.ask(recipient, "hq").code // 100 == 5, recipient


def test_a_site_may_come_as_often_as_it_has_mail_and_strangers_may_not(sites: Sites) -> None:
    sites.judge()
    for _time in range(5):
        assert sites.cloud.ask("bob@example.com", "hq").code == 250
    with pytest.raises(smtplib.SMTPConnectError, match="421"):
        for _time in range(5):
            sites.cloud.ask("bob@example.com", "outside")


def test_the_log_of_the_other_site_has_the_client_that_the_mail_came_from(sites: Sites) -> None:
    sites.judge()
    before = delivered(sites.cloud, "bob@example.com")
    send(sites.hq, "bob@example.com", client="outside")
    wait_until(lambda: delivered(sites.cloud, "bob@example.com") == before + 1, sites.hq)
    address = re.escape(sites.hq.network.outside)
    assert re.search(
        rf"client=unknown\[{re.escape(sites.hq.address)}\].*orig_client=unknown\[{address}\]", sites.cloud.log()
    )


def test_a_site_that_is_not_managed_is_not_believed_who_sent_its_mail(sites: Sites) -> None:
    def parameter(name: str) -> str:
        return sites.cloud.command("postconf", "-h", name).stdout.strip()

    assert parameter("smtpd_authorized_xforward_hosts") == f"cidr:{sites.cloud.ours}/xforward"
    assert parameter("smtp_send_xforward_command") == "yes"
    sites.cloud.split(*domains(sites.cloud, "example.com", managed=False))
    try:
        assert parameter("smtpd_authorized_xforward_hosts") == ""
        assert parameter("smtp_send_xforward_command") == "no"
        assert sites.cloud.ask("bob@example.com", "hq").code == 250
    finally:
        sites.cloud.split(*domains(sites.cloud, "example.com"))


def test_what_is_empty_stays_empty(sites: Sites) -> None:
    shown = sites.hq.command("postconf", "-n").stdout
    for name in ("client", "helo", "sender"):
        assert f"smtpd_{name}_restrictions" not in shown
    assert "check_client_access" in sites.hq.command("postconf", "-h", "smtpd_recipient_restrictions").stdout


def test_a_second_run_changes_nothing_and_the_server_is_given_back(network: Network) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + JUDGING.replace("{greylisting}", "permit")) as server:
        before, complaints = server.files(), server.command("postfix", "check").stderr.count("\n")
        wanted = [
            {**entry, "peers": [{**peer, "relay": {"host": "198.51.100.20"}} for peer in entry["peers"]]}
            for entry in domains(server, "example.com")
        ]
        assert server.split(*wanted, check=True)["changed"]
        assert server.files() == before
        assert server.split(*wanted)["changed"]
        assert server.command("postfix", "check").stderr.count("\n") == complaints
        for check in (True, False):
            assert not server.split(*wanted, check=check)["changed"]
        server.split(purge=True)
        assert server.files() == before
