# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what is left on a server when the split goes: nothing, byte for byte, whatever was there in between.

from __future__ import annotations

from typing import Any

import pytest
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}}
ONE = {"domain": "example.com", "unknown": "cloud", "peers": [PEER]}
OTHER = {
    "domain": "example.com",
    "call_ahead": False,
    "local_transport": "lmtp:unix:private/x",
    "peers": [
        {"site": "lab", "relay": {"host": "198.51.100.30", "tls": "encrypt"}, "clients": ["198.51.100.0/24"]},
        PEER,
    ],
}
SECOND = {"domain": "b.example.com", "peers": [PEER]}
GONE = {"state": "absent"}

SMALL = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
mydestination = localhost
inet_interfaces = {address}
"""


@pytest.mark.parametrize(
    "main_cf",
    [
        GROWN_MAIN_CF,
        SMALL,
        SMALL + "transport_maps =",
        SMALL + "transport_maps = inline:{{ {{a = b:}} }}\n\n\n# old\ntransport_maps = inline:{{ {{c = d:}} }}\n",
        SMALL + "virtual_transport=lmtp:x\nvirtual_mailbox_domains=\n  example.net\n\t,example.org\n   # end",
        SMALL + "unverified_recipient_reject_code = 450\naddress_verify_poll_delay=\n 2s\n"
        "unverified_recipient_reject_reason = ask   us\n",
        SMALL + "# \u00fcml\u00e4ut\r\n",
    ],
)
def test_main_cf_and_the_directory_are_what_they_were(network: Network, main_cf: str) -> None:
    with configured_server(network, "hq", main_cf) as server:
        before, complaints = server.files(), server.command("postfix", "check").stderr.count("\n")
        server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}])
        server.split(ONE)
        server.split(OTHER, SECOND)
        assert server.files() != before
        assert server.command("postfix", "check").stderr.count("\n") == complaints
        server.split({"domain": "b.example.com", **GONE})
        server.split({"domain": "example.com", **GONE})
        assert server.files() == before
        assert sorted(path.name for path in server.config.iterdir()) == sorted(before)


@pytest.fixture
def used(server: SplitServer) -> SplitServer:
    """A running server with two split domains."""
    server.start()
    for domain in ("example.com", "b.example.com"):
        server.routes(domain, routes=[{"address": f"ann@{domain}", "to": "local"}])
    server.split(ONE, SECOND)
    return server


def test_one_domain_goes_and_the_other_stays(used: SplitServer) -> None:
    result = used.split({"domain": "example.com", **GONE})
    (report,) = result["domains"]
    assert (report["domain"], report["after"], report["changed"]) == ("example.com", None, True)
    assert report["before"]["unknown"] == "cloud"
    assert used.ask("ann@example.com").code == 554
    assert used.ask("ann@b.example.com").code == 250
    assert "example.com\t" not in (used.ours / "mail_domains").read_text().replace("b.example.com", "")
    assert "ann@example.com" not in (used.ours / "routes").read_text()


def test_purge_removes_what_is_not_named(used: SplitServer) -> None:
    result = used.split(SECOND, purge=True)
    assert [(entry["domain"], entry["changed"]) for entry in result["domains"]] == [
        ("b.example.com", False),
        ("example.com", True),
    ]
    assert used.ask("ann@example.com").code == 554
    assert used.ask("ann@b.example.com").code == 250


def test_purge_alone_gives_the_server_back(network: Network, used: SplitServer) -> None:
    with configured_server(network, "hq") as untouched:
        names = set(untouched.files())
    result = used.split(purge=True)
    assert [entry["after"] for entry in result["domains"]] == [None, None]
    assert set(used.files()) == names
    assert used.ask("ann@example.com").code == 554
    assert used.ask("carl@example.net").code == 250
    assert not used.split(purge=True)["changed"]


def test_absent_domain_that_was_never_there_changes_nothing(server: SplitServer) -> None:
    before = server.files(), server.times()
    result = server.split({"domain": "example.com", **GONE})
    assert not result["changed"]
    assert result["diff"] == []
    assert (server.files(), server.times()) == before


def test_what_others_did_meanwhile_to_main_cf_stays(server: SplitServer) -> None:
    server.split(ONE)
    text = server.main_cf.read_text()
    assert "\n" not in text[-1]
    server.main_cf.write_text(
        "# my remark\n" + text.replace("greylisted,whitelisted", "greylisted,whitelisted,mine") + "\nmine = permit\n"
    )
    server.split(SECOND)
    server.split(purge=True)
    value: dict[str, Any] = {
        name: server.command("postconf", "-h", name).stdout.strip()
        for name in ("smtpd_restriction_classes", "transport_maps", "mine")
    }
    assert value["smtpd_restriction_classes"] == "greylisted,whitelisted,mine"
    assert value["mine"] == "permit"
    assert "split_domain" not in server.main_cf.read_text()
    assert server.main_cf.read_text().startswith("# my remark\n")


def test_domain_that_comes_back_after_its_removal_works_again(used: SplitServer) -> None:
    used.split({"domain": "example.com", **GONE})
    used.split(ONE)
    assert used.ask("bob@example.com").code == 450
    assert used.ask("ann@b.example.com").code == 250


def test_a_part_of_the_map_that_goes_leaves_no_table_behind(server: SplitServer) -> None:
    hosted = {"site": "hosted", "relay": {"host": "198.51.100.40"}}
    full = {
        **ONE,
        "site": "hq",
        "unknown": None,
        "catch_all": "ann@example.com",
        "peers": [{**PEER, "managed": True, "subdomain": "cloud.example.com"}, hosted],
    }
    server.split(ONE)
    plain = server.files()
    server.split(full)
    come = {path.name for path in server.ours.iterdir()} - {path.rsplit("/", 1)[-1] for path in plain}
    assert {"catch_all", "generic", "xforward"} <= come
    assert any(name.startswith("copies_") for name in come)
    assert server.split(ONE, check=True)["changed"]
    server.split(ONE)
    assert set(server.files()) == set(plain)
    assert not server.split(ONE)["changed"]
