# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of recipient_routes: merging, counting, large directories, and what a route means to a running server.

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

CLOUD = "198.51.100.20"
TO_CLOUD = "relay:[198.51.100.20]:25"
LOCAL = "lmtp:unix:private/mailboxes"
WITHOUT_MAILBOXES = (
    GROWN_MAIN_CF.replace("virtual_mailbox_domains   =   example.net\n", "").replace(
        f"virtual_transport = {LOCAL}\n", ""
    )
    + "\n"
)


@pytest.fixture
def server_with_routes(server: SplitServer) -> SplitServer:
    server.routes(
        "example.com",
        state="exact",
        routes=[{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": CLOUD}],
    )
    return server


def found(server: SplitServer, domain: str = "example.com") -> dict[str, str]:
    lines = server.command("postmap", "-s", f"lmdb:{server.ours}/routes").stdout.splitlines()
    return dict(line.split("\t") for line in lines if line.split("\t")[0].endswith(f"@{domain}"))


def test_present_adds_and_changes_and_leaves_the_rest(server_with_routes: SplitServer) -> None:
    result = server_with_routes.routes(
        "example.com",
        routes=[{"address": "Bob@example.com", "to": "local"}, {"address": "cyd@example.com", "to": f"{CLOUD}:26"}],
    )
    assert result["counts"] == {"before": 2, "after": 3, "added": 1, "changed": 1, "removed": 0}
    assert result["changes"] == [
        {"address": "bob@example.com", "before": TO_CLOUD, "after": LOCAL},
        {"address": "cyd@example.com", "before": None, "after": "relay:[198.51.100.20]:26"},
    ]
    assert found(server_with_routes) == {
        "ann@example.com": LOCAL,
        "bob@example.com": LOCAL,
        "cyd@example.com": "relay:[198.51.100.20]:26",
    }


def test_only_local_takes_the_local_routes_and_no_others(server_with_routes: SplitServer) -> None:
    moved = [{"address": "bob@example.com", "to": "local"}, {"address": "ann@example.com", "to": CLOUD}]
    result = server_with_routes.routes("example.com", routes=moved, only_local=True)
    assert result["counts"] == {"before": 2, "after": 2, "added": 0, "changed": 1, "removed": 0}
    assert found(server_with_routes) == {"ann@example.com": LOCAL, "bob@example.com": LOCAL}


def test_a_server_without_a_mailbox_of_its_own_keeps_its_routes(server_with_routes: SplitServer) -> None:
    before = found(server_with_routes)
    result = server_with_routes.routes("example.com", routes=[], only_local=True)
    assert not result["changed"]
    assert not result["complete"]
    assert found(server_with_routes) == before
    server_with_routes.routes("example.com", state="exact", routes=[])
    assert server_with_routes.routes("example.com", routes=[], only_local=True)["complete"]


def test_absent_removes_and_leaves_the_rest(server_with_routes: SplitServer) -> None:
    gone = [{"address": "BOB@example.com"}, {"address": "never.there@example.com"}]
    result = server_with_routes.routes("example.com", state="absent", routes=gone)
    assert result["counts"] == {"before": 2, "after": 1, "added": 0, "changed": 0, "removed": 1}
    assert found(server_with_routes) == {"ann@example.com": LOCAL}
    assert not server_with_routes.routes("example.com", state="absent", routes=gone)["changed"]


def test_exact_with_an_empty_list_removes_all_of_one_domain(server_with_routes: SplitServer) -> None:
    server_with_routes.routes("example.org", routes=[{"address": "dan@example.org", "to": "local"}])
    result = server_with_routes.routes("example.com", state="exact", routes=[])
    assert result["counts"]["removed"] == 2
    assert found(server_with_routes) == {}
    assert found(server_with_routes, "example.org") == {"dan@example.org": LOCAL}


def test_check_mode_tells_what_the_run_does_and_writes_nothing(server_with_routes: SplitServer) -> None:
    before = server_with_routes.files(), server_with_routes.times()
    arguments: dict[str, Any] = {"routes": [{"address": "bob@example.com", "to": "local"}]}
    foretold = server_with_routes.routes("example.com", check=True, **arguments)
    assert (server_with_routes.files(), server_with_routes.times()) == before
    assert foretold == server_with_routes.routes("example.com", **arguments)
    (diff,) = foretold["diff"]
    assert (diff["before"], diff["after"]) == (f"bob@example.com\t{TO_CLOUD}\n", "bob@example.com\t" + LOCAL + "\n")


VIRTUAL = "virtual_mailbox_domains   =   example.net\n"


@pytest.mark.parametrize(
    ("main_cf", "options", "transport"),
    [
        ("", {}, "local:"),
        (VIRTUAL + "virtual_transport = lmtp:unix:private/dovecot-lmtp\n", {}, "lmtp:unix:private/dovecot-lmtp"),
        ("mailbox_transport = cyrus\n", {}, "cyrus:"),
        ("mailbox_transport = cyrus\nvirtual_transport = maildrop\n", {}, "maildrop:"),
        ("here = lmtp:inet:127.0.0.1:24\nvirtual_transport = $here\n", {}, "lmtp:inet:127.0.0.1:24"),
        ("virtual_transport = maildrop\n", {"local_transport": "lmtp:unix:x"}, "lmtp:unix:x"),
        (VIRTUAL, {"local_transport": "lmtp:unix:x"}, "lmtp:unix:x"),
    ],
)
def test_local_means_what_main_cf_says_where_the_task_does_not(
    network: Network, main_cf: str, options: dict[str, str], transport: str
) -> None:
    with configured_server(network, "hq", WITHOUT_MAILBOXES + main_cf) as server:
        server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}], **options)
        assert found(server)["ann@example.com"] == transport


@pytest.mark.parametrize("main_cf", [VIRTUAL, VIRTUAL + "virtual_transport = virtual\n"])
def test_mailboxes_that_need_a_path_each_are_no_target_of_routes(network: Network, main_cf: str) -> None:
    with configured_server(network, "hq", WITHOUT_MAILBOXES + main_cf) as server:
        before = server.files()
        routes = [{"address": "ann@example.com", "to": "local"}]
        result = server.run("recipient_routes", domain="example.com", routes=routes)
        assert "is virtual(8), which looks up a path for each mailbox" in result["msg"]
        assert server.files() == before


def test_local_means_what_the_domain_was_given_before(server: SplitServer) -> None:
    peer = {"site": "cloud", "relay": {"host": CLOUD}}
    server.split({"domain": "example.com", "local_transport": "lmtp:unix:settled", "peers": [peer]})
    server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}])
    assert found(server)["ann@example.com"] == "lmtp:unix:settled"
    # An empty one is what a map without local_transport comes to, also before the settings have followed it.
    routes = [{"address": "ann@example.com", "to": "local"}]
    assert server.routes("example.com", routes=routes, local_transport="")["changed"]
    assert found(server)["ann@example.com"] == LOCAL


@pytest.fixture(scope="module")
def running(network: Network) -> Iterator[SplitServer]:
    with configured_server(network, "hq") as server:
        server.start()
        server.split(
            {"domain": "example.com", "unknown": "cloud", "peers": [{"site": "cloud", "relay": {"host": CLOUD}}]}
        )
        yield server


def test_a_route_is_in_force_when_the_task_is_done_and_needs_no_reload(running: SplitServer) -> None:
    running.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}])
    reloads = running.reloads()
    for number in range(5):
        address = f"new{number}@example.com"
        assert running.routes("example.com", routes=[{"address": address, "to": "local"}])["changed"]
        assert running.ask(address).code == 250
    running.routes("example.com", state="absent", routes=[{"address": "new0@example.com"}])
    assert running.ask("new0@example.com").code == 450  # unknown now, and the other site cannot be asked
    assert running.reloads() == reloads


def many(count: int, special: dict[int, str] | None = None) -> list[dict[str, str]]:
    return [
        {"address": f"user{number}@example.com", "to": (special or {}).get(number, CLOUD)} for number in range(count)
    ]


def test_a_hundred_thousand_routes_are_written_kept_and_one_of_them_changed(running: SplitServer) -> None:
    first = running.routes("example.com", state="exact", routes=many(100_000))
    assert first["counts"]["after"] == 100_000
    assert len(first["changes"]) == 100
    assert running.ask("user99999@example.com").code == 250
    before = running.times(), running.reloads()
    assert not running.routes("example.com", state="exact", routes=many(100_000))["changed"]
    assert (running.times(), running.reloads()) == before
    one = running.routes("example.com", state="exact", routes=many(100_000, {77_777: "local"}))
    assert one["counts"] == {"before": 100_000, "after": 100_000, "added": 0, "changed": 1, "removed": 0}
    assert len(one["diff"][0]["after"].splitlines()) == 1
    assert running.lookup(f"lmdb:{running.ours}/routes", "user77777@example.com") == LOCAL
    assert running.lookup(f"lmdb:{running.ours}/routes", "user77776@example.com") == TO_CLOUD
    assert running.ask("user12345@example.com").code == 250


def test_an_older_index_of_a_large_table_is_rebuilt(running: SplitServer) -> None:
    running.routes("example.com", state="exact", routes=many(20_000))
    os.utime(running.ours / "routes.lmdb", (1_000_000_000, 1_000_000_000))
    assert running.routes("example.com", state="exact", routes=many(20_000))["changed"]
    assert not running.routes("example.com", state="exact", routes=many(20_000))["changed"]
    assert running.ask("user19999@example.com").code == 250
