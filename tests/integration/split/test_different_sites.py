# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of messages that not every server takes: what passes between two sites, and what happens where one takes less.

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from forked_module import run_module
from sent_mail import DISCARDED, delivered, wait_until
from split_network import Network
from split_server import SplitServer, configured_server

BOB = "bob@example.com"
SIZE_OF_CLOUD = 20_000


@dataclass(frozen=True)
class Sites:
    """hq takes the mail and sends it on to cloud, where bob lives."""

    hq: SplitServer
    cloud: SplitServer

    @contextmanager
    def cloud_with(self, setting: str) -> Iterator[None]:
        """Have cloud run with another parameter."""
        before = self.cloud.main_cf.read_text()
        self.cloud.main_cf.write_text(f"{before}\n{setting}\n")
        self.cloud.restart()
        try:
            yield
        finally:
            self.cloud.main_cf.write_text(before)
            self.cloud.restart()

    def send(self, text: str, mail: list[str], rcpt: list[str]) -> None:
        """Hand a message for bob to hq, with these options of MAIL and RCPT."""
        network = self.hq.network

        def speak() -> None:
            source = (network.outside, 0)
            with smtplib.SMTP(self.hq.address, self.hq.port, timeout=30, source_address=source) as smtp:
                smtp.sendmail("<>", [BOB], text.encode(), mail, rcpt)

        network.at("outside", speak)


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq"))
        cloud = servers.enter_context(configured_server(network, "cloud"))
        to_cloud = {"host": cloud.address, "port": cloud.port}
        hq.routes("example.com", routes=[{"address": BOB, "to": to_cloud}])
        hq.split({"domain": "example.com", "peers": [{"site": "cloud", "relay": to_cloud}]})
        cloud.routes("example.com", routes=[{"address": BOB, "to": "local"}], local_transport=DISCARDED)
        cloud.split({"domain": "example.com", "peers": [{"site": "hq", "relay": {"host": hq.address}}]})
        hq.start()
        cloud.start()
        yield Sites(hq, cloud)


EIGHT_BIT = "Subject: test\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nB\u00fccher\r\n"
UNICODE = "Subject: B\u00fccher\r\n\r\nHello\r\n"


@pytest.mark.parametrize(
    ("text", "mail", "rcpt", "setting"),
    [
        (EIGHT_BIT, ["BODY=8BITMIME"], [], ""),
        (UNICODE, ["BODY=8BITMIME", "SMTPUTF8"], [], ""),
        (EIGHT_BIT, ["RET=HDRS", "ENVID=test"], ["NOTIFY=NEVER"], ""),
        # Postfix rewrites what the next server would not take.
        (EIGHT_BIT, ["BODY=8BITMIME"], [], "smtpd_discard_ehlo_keywords = 8bitmime"),
        (EIGHT_BIT, ["RET=HDRS", "ENVID=test"], ["NOTIFY=NEVER"], "smtpd_discard_ehlo_keywords = dsn"),
    ],
)
def test_a_message_of_every_kind_arrives(
    sites: Sites, text: str, mail: list[str], rcpt: list[str], setting: str
) -> None:
    with sites.cloud_with(setting):
        before = delivered(sites.cloud, BOB)
        sites.send(text, mail, rcpt)
        wait_until(lambda: delivered(sites.cloud, BOB) == before + 1, sites.hq)


@pytest.mark.parametrize(
    ("text", "mail", "setting", "reason"),
    [
        (UNICODE, ["BODY=8BITMIME", "SMTPUTF8"], "smtpd_discard_ehlo_keywords = smtputf8", "SMTPUTF8 is required"),
        (f"Subject: test\r\n\r\n{'long' * 9000}\r\n", [], f"message_size_limit = {SIZE_OF_CLOUD}", "size"),
    ],
)
def test_what_the_next_site_cannot_take_comes_back_to_its_sender(
    sites: Sites, text: str, mail: list[str], setting: str, reason: str
) -> None:
    """There is no knowing that before the message is there; documented, so that sites are made alike."""
    with sites.cloud_with(setting):
        before = sites.hq.logged("status=bounced")
        sites.send(text, mail, [])
        wait_until(lambda: sites.hq.logged("status=bounced") == before + 1, sites.hq)
        (last,) = [line for line in sites.hq.log().splitlines() if "status=bounced" in line][-1:]
        assert reason in last


def test_a_site_that_takes_smaller_messages_is_seen_when_it_is_asked(sites: Sites) -> None:
    asked = {
        "host": sites.cloud.address,
        "port": sites.cloud.port,
        "recipients": [BOB],
        "least_size": SIZE_OF_CLOUD + 1,
    }

    def ask() -> tuple[int, list[str]]:
        result = sites.hq.network.at("hq", run_module, "smtp_probe", asked)
        return result["size"], [str(warning) for warning in result.get("warnings", [])]

    assert ask() == (10_240_000, [])
    with sites.cloud_with(f"message_size_limit = {SIZE_OF_CLOUD}"):
        size, (warning,) = ask()
    assert size == SIZE_OF_CLOUD
    assert f"takes messages of {SIZE_OF_CLOUD} bytes at most" in warning
