# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of names that mean two things on a server: they are refused in one sentence, and nothing is written.

from __future__ import annotations

from typing import Any

import pytest
from split_server import SplitServer

RELAY = {"host": "198.51.100.20"}
PEER = {"site": "cloud", "relay": RELAY}
WITH_SUBDOMAIN = {"domain": "example.com", "peers": [{**PEER, "subdomain": "cloud.example.com"}]}


def refusal(server: SplitServer, *domains: dict[str, Any]) -> str:
    """Return why split_domains refuses; it changes nothing, and says the same in check mode."""
    before = server.files()
    told = server.run("split_domains", check=True, domains=list(domains))
    result = server.run("split_domains", domains=list(domains))
    assert result["failed"]
    assert result["msg"] == told["msg"]
    assert "\n" not in result["msg"]
    assert server.files() == before
    return str(result["msg"])


def write_main_cf(server: SplitServer, lines: str) -> None:
    """Write further lines into main.cf."""
    server.main_cf.write_text(f"{server.main_cf.read_text()}\n{lines}\n")


@pytest.mark.parametrize(
    ("parameter", "value", "element"),
    [
        ("mydestination", "localhost, cloud.example.com", "cloud.example.com"),
        ("mydestination", "$myhostname", "cloud.example.com"),
        ("virtual_alias_domains", "Cloud.Example.com", "Cloud.Example.com"),
        ("virtual_mailbox_domains", "inline:{cloud.example.com=here}", "inline:"),
    ],
)
def test_a_sub_domain_whose_mail_would_stay_on_the_sender_is_refused(
    server: SplitServer, parameter: str, value: str, element: str
) -> None:
    write_main_cf(server, f"myhostname = cloud.example.com\n{parameter} = {value}")
    said = refusal(server, WITH_SUBDOMAIN)
    assert "the site cloud of example.com has the subdomain cloud.example.com" in said
    assert f"which is in {parameter} of this server ({element}" in said
    assert "mail rewritten to it would stay here" in said
    server.split({"domain": "example.com", "peers": [PEER]})


def test_a_sub_domain_that_the_sender_relays_is_none_of_its_own(server: SplitServer) -> None:
    write_main_cf(server, "relay_domains = cloud.example.com")
    server.split(WITH_SUBDOMAIN)


@pytest.mark.parametrize("entry", [{"domain": "cloud.example.com"}, {"alias_domains": ["cloud.example.com"]}])
def test_a_sub_domain_that_is_split_here_is_refused(server: SplitServer, entry: dict[str, Any]) -> None:
    server.split({"domain": "example.net.test", "peers": [PEER], **entry})
    said = refusal(server, WITH_SUBDOMAIN)
    assert "has the subdomain cloud.example.com, which is" in said
    assert "mail rewritten to it would stay here" in said


@pytest.mark.parametrize("key", ["alias_domains", "subdomain"])
@pytest.mark.parametrize(
    ("other", "use"),
    [
        ({"domain": "name.example"}, "split on this server itself"),
        ({"alias_domains": ["name.example"]}, "the alias domain of other.example on this server"),
        ({"subdomain": "name.example"}, "the subdomain of other.example on this server"),
    ],
)
def test_a_name_that_is_something_else_already_is_refused(
    server: SplitServer, key: str, other: dict[str, Any], use: str
) -> None:
    standing = {"domain": "other.example", "peers": [PEER], **other}
    server.split(standing)
    wanted = {"domain": "zone.example", "peers": [PEER], key: ["name.example"] if key[-1] == "s" else "name.example"}
    assert f"name.example, which is {use}: a name stands for one domain" in refusal(server, wanted)
    # Once it has gone there, it may come here, in one run, too.
    server.split({"domain": standing["domain"], "state": "absent"}, wanted)
