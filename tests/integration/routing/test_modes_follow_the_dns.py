# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mode auto: the MX set of a real name server and the server's own addresses decide.

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_module import run_module
from named_server import Named, Zone, free_port, started_named
from routing_runs import effective, refusal, route
from split_network import Network
from split_server import SplitServer, configured_server

# mx1 is this machine (127.0.0.1), as is mx2; the others are elsewhere, and 203.0.113.25 is NAT's outer side.
ELSEWHERE = "far A 192.0.2.9\nfarther A 192.0.2.10\nouter A 203.0.113.25\n"
SETS = {
    "first.example": ("@ MX 10 mx1\n@ MX 20 far\n", "local"),
    "equal.example": ("@ MX 10 mx1\n@ MX 10 far\n", "local"),
    "second.example": ("@ MX 10 far\n@ MX 20 mx1\n", "backup"),
    "none.example": ("@ MX 10 far\n@ MX 20 farther\n", "remote"),
    "null.example": ("@ MX 0 .\n", "remote"),
    "address.example": ("@ A 127.0.0.1\n", "local"),
    "nat.example": ("@ MX 10 far\n@ MX 20 outer\n", "backup"),
}


@pytest.fixture(scope="module")
def name_server() -> Iterator[Named]:
    with started_named({name: Zone(ELSEWHERE + lines) for name, (lines, _mode) in SETS.items()}) as running:
        yield running


def asking(name_server: Named) -> dict[str, object]:
    return {"resolver": [name_server.address], "resolver_port": name_server.port}


def test_auto_is_what_the_mx_set_makes_of_this_server(server: SplitServer, name_server: Named) -> None:
    domains = [{"domain": name, "mode": "auto"} for name in SETS]
    options = {**asking(name_server), "own_addresses": ["203.0.113.25"]}
    predicted = route(server, *domains, check=True, **options)
    result = route(server, *domains, **options)
    assert effective(result) == effective(predicted) == {name: mode for name, (_lines, mode) in SETS.items()}
    assert predicted["diff"] == result["diff"]
    assert not route(server, *domains, **options)["changed"]
    # Postfix has to know the address too, or it would deliver to itself.
    assert server.command("postconf", "-h", "proxy_interfaces").stdout.strip() == "203.0.113.25"


def test_an_address_that_postfix_was_told_of_need_not_be_told_again(server: SplitServer, name_server: Named) -> None:
    server.main_cf.write_text(server.main_cf.read_text() + "\nproxy_interfaces = 203.0.113.25\n")
    before = server.main_cf.read_bytes()
    result = route(server, {"domain": "nat.example", "mode": "auto"}, **asking(name_server))
    assert effective(result) == {"nat.example": "backup"}
    route(server, {"domain": "nat.example", "mode": "auto"}, **asking(name_server), own_addresses=["203.0.113.25"])
    assert server.command("postconf", "-h", "proxy_interfaces").stdout.strip() == "203.0.113.25"
    route(server, {"domain": "nat.example", "state": "absent"})
    assert server.main_cf.read_bytes() == before


def test_a_change_of_the_set_changes_the_mode_at_the_next_run(server: SplitServer, name_server: Named) -> None:
    auto = {"domain": "first.example", "mode": "auto"}
    assert effective(route(server, auto, **asking(name_server))) == {"first.example": "local"}
    name_server.nsupdate(
        "zone first.example",
        "update delete first.example MX",
        "update add first.example 60 MX 10 far.first.example",
        "update add first.example 60 MX 20 mx1.first.example",
    )
    result = route(server, auto, **asking(name_server))
    assert effective(result) == {"first.example": "backup"}
    assert result["domains"][0]["effective_before"] == "local"
    assert "of the preference 20, is this server" in result["domains"][0]["reason"]


@pytest.mark.parametrize("earlier", [None, "remote", "backup"])
def test_what_cannot_be_resolved_keeps_the_mode_and_warns(
    server: SplitServer, name_server: Named, earlier: str | None
) -> None:
    auto = {"domain": "unknown.example", "mode": "auto"}
    if earlier:
        route(server, {**auto, "mode": earlier})
    result = route(server, auto, **asking(name_server))
    assert effective(result) == {"unknown.example": earlier or "local"}
    assert len(result["warnings"]) == 1
    assert "the routing mode of unknown.example cannot be told from the DNS" in str(result["warnings"][0])


NOBODYS = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "192.0.2.77"]  # noqa: S104 - asked about


@pytest.mark.parametrize("address", NOBODYS)
def test_an_address_that_is_not_this_machines_makes_no_domain_local(network: Network, address: str) -> None:
    exchange = {"exchange": "mx.example.com", "addresses": [address]}
    found = {"name": "example.com", "published": "mx", "mx": [{**exchange, "preference": 10}], "exchanges": [exchange]}
    with configured_server(network, "cloud") as server:
        # As servers have it that share an address with others (keepalived).
        said = network.at("cloud", _let_bind_foreign_addresses, "1")
        try:
            result = route(server, {"domain": "example.com", "mode": "auto"}, mx_sets=[found])
        finally:
            network.at("cloud", _let_bind_foreign_addresses, said)
    assert effective(result) == {"example.com": "remote"}


def _let_bind_foreign_addresses(value: str) -> str:
    setting = Path("/proc/sys/net/ipv4/ip_nonlocal_bind")
    before = setting.read_text().strip()
    setting.write_text(value)
    return before


def test_a_dead_resolver_keeps_all_modes_and_is_no_failure(server: SplitServer, name_server: Named) -> None:
    domains = [{"domain": name, "mode": "auto"} for name in ("none.example", "second.example")]
    before = effective(route(server, *domains, **asking(name_server)))
    result = route(server, *domains, resolver=["127.0.0.1"], resolver_port=free_port())
    assert effective(result) == before == {"none.example": "remote", "second.example": "backup"}
    assert not result["changed"]
    assert len(result["warnings"]) == 2


def test_the_sets_may_come_from_mx_info(server: SplitServer, name_server: Named) -> None:
    found = run_module(
        "mx_info",
        {"names": ["second.example", "none.example"], **asking(name_server), "port": name_server.port},
    )
    domains = [{"domain": name, "mode": "auto"} for name in ("none.example", "second.example")]
    result = route(server, *domains, mx_sets=found["names"])
    assert effective(result) == {"none.example": "remote", "second.example": "backup"}
    assert "nothing that mx_info returns" in refusal(server, *domains, mx_sets=[{"name": "none.example"}])


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("equal.example", "mx1.equal.example, of the lowest preference 10, is this server"),
        ("null.example", "its null MX says that it takes no mail"),
        ("second.example", None),
        ("none.example", None),
        ("unknown.example", None),
    ],
)
def test_a_backup_that_nobody_comes_before_is_warned_of(
    server: SplitServer, name_server: Named, name: str, warning: str | None
) -> None:
    result = route(server, {"domain": name, "mode": "backup"}, **asking(name_server))
    assert effective(result) == {name: "backup"}
    assert result["domains"][0]["reason"] is None
    warnings = [str(text) for text in result.get("warnings", ())]
    assert len(warnings) == (warning is not None)
    assert all(str(warning) in text for text in warnings)
