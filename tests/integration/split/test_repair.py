# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of repeated runs: nothing happens where nothing is due, drift is repaired and told, and check mode foretells.

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from split_network import Network
from split_server import SplitServer, configured_server

PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}}
LAB = {"site": "lab", "relay": {"host": "198.51.100.30", "tls": "encrypt"}}
DOMAINS: list[dict[str, Any]] = [
    {"domain": "example.com", "unknown": "cloud", "role": "master", "peers": [PEER, LAB]},
    {"domain": "example.org", "peers": [LAB]},
]
ROUTES = [
    {"address": "ann@example.com", "to": "local"},
    {"address": "bob@example.com", "to": "198.51.100.20"},
    {"address": "cyd@example.com", "to": "[198.51.100.20]:25"},
]


@pytest.fixture(scope="module")
def set_up(network: Network) -> Iterator[SplitServer]:
    with ExitStack() as servers:
        server = servers.enter_context(configured_server(network, "hq"))
        server.start()
        server.routes("example.com", state="exact", routes=ROUTES)
        server.split(*DOMAINS)
        yield server


def state(server: SplitServer) -> tuple[dict[str, bytes], dict[str, int]]:
    """Return what stands in the configuration directory; an index, whose bytes may differ, by what it says."""
    files = server.files()
    for name in list(files):
        if name.endswith(".lmdb"):
            files[name] = server.command("postmap", "-s", f"lmdb:{server.config / name[:-5]}").stdout.encode()
    return files, server.times()


def run_both(server: SplitServer, check: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        server.routes("example.com", check, state="exact", routes=ROUTES),
        server.split(*DOMAINS, check=check),
    )


def test_second_run_changes_nothing_touches_nothing_and_reloads_nothing(set_up: SplitServer) -> None:
    before, reloads = state(set_up), set_up.reloads()
    for result in run_both(set_up):
        assert not result["changed"]
        assert result["diff"] == []
    assert state(set_up) == before
    assert set_up.reloads() == reloads


def test_other_spelling_is_no_change(set_up: SplitServer) -> None:
    again = json.loads(json.dumps(DOMAINS).replace("example.com", "EXAMPLE.com."))
    again[0]["peers"] = [{**LAB, "relay": {**LAB["relay"], "port": "0025"}}, {**PEER, "clients": ["198.51.100.20/32"]}]
    assert not set_up.split(*reversed(again))["changed"]
    respelled = [{"address": entry["address"].upper() + ".", "to": entry["to"]} for entry in reversed(ROUTES)]
    assert not set_up.routes("Example.COM.", state="exact", routes=respelled)["changed"]


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def remove_ours(server: SplitServer) -> None:
    lines = server.main_cf.read_text().splitlines(True)
    server.main_cf.write_text("".join(line for line in lines if not line.startswith("transport_maps")))


def open_to_everybody(folder: Path) -> None:
    """Give the directory and its files the rights that earlier versions gave them."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    for path in (folder, *folder.iterdir()):
        os.chown(path, 0, 0)


def fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


DRIFTS: dict[str, Callable[[SplitServer], object]] = {
    "route edited": lambda server: edit(server.ours / "routes", lambda text: text.replace("198.51.100.20", "10.9.8.7")),
    "route removed": lambda server: edit(server.ours / "routes", lambda text: text.replace("bob@example.com", "#bob")),
    "routes lost": lambda server: (server.ours / "routes").unlink(),
    "index lost": lambda server: (server.ours / "routes.lmdb").unlink(),
    "index empty": lambda server: fill(server.ours / "routes.lmdb", b""),
    "index broken": lambda server: fill(server.ours / "routes.lmdb", b"broken" * 4000),
    "index older": lambda server: os.utime(server.ours / "routes.lmdb", (1_000_000_000, 1_000_000_000)),
    "index of something else": lambda server: fill(
        server.ours / "routes.lmdb", (server.ours / "mail_domains.lmdb").read_bytes()
    ),
    "domain removed": lambda server: edit(server.ours / "mail_domains", lambda text: text.replace("example.org", "#")),
    "index of domains lost": lambda server: (server.ours / "mail_domains.lmdb").unlink(),
    "peers edited": lambda server: edit(server.ours / "peers", lambda text: text.replace("198.51", "10.1")),
    "peers lost": lambda server: (server.ours / "peers").unlink(),
    "main.cf line removed": remove_ours,
    "class redefined": lambda server: server.command("postconf", "split_domain_call_ahead=permit"),
    "guard taken out": lambda server: server.command("postconf", "smtpd_relay_restrictions=reject_unauth_destination"),
    "class not listed": lambda server: server.command("postconf", "smtpd_restriction_classes=greylisted,whitelisted"),
    "settings edited": lambda server: edit(
        server.ours / "settings.json", lambda text: text.replace("198.51.100.30", "198.51.100.31")
    ),
    "settings lost": lambda server: (server.ours / "settings.json").unlink(),
    "loan lost": lambda server: (server.ours / "main_cf.json").unlink(),
    "readable for everybody": lambda server: open_to_everybody(server.ours),
    "one table of a group of users": lambda server: os.chown(server.ours / "mail_domains", 0, 100),
    "everything of ours lost": lambda server: [path.unlink() for path in server.ours.iterdir()],
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_drift_is_told_repaired_and_gone(set_up: SplitServer, drift: Callable[[SplitServer], object]) -> None:
    drift(set_up)
    drifted = state(set_up)
    foretold = [result["changed"] for result in run_both(set_up, check=True)]
    assert state(set_up) == drifted
    assert any(foretold)
    repaired = [result["changed"] for result in run_both(set_up)]
    assert any(repaired)
    # The second module may find its work done by the first, so check mode may foretell more than there is to do.
    assert all(told or not done for told, done in zip(foretold, repaired))
    assert set_up.command("postfix", "check").stderr == ""
    assert str(set_up.ask("bob@example.com")).startswith("250")
    assert str(set_up.ask("nobody@example.org")).startswith("550")
    assert set_up.ask("carl@example.net").code == 250
    assert set_up.lookup(f"lmdb:{set_up.ours}/routes", "ann@example.com") == "lmtp:unix:private/mailboxes"
    before = state(set_up)
    assert [result["changed"] for result in run_both(set_up)] == [False, False]
    assert state(set_up) == before


CHANGES: list[list[dict[str, Any]]] = [
    [{"domain": "example.com", "peers": [PEER]}],
    [{"domain": "example.com", "unknown": "lab", "call_ahead": False, "peers": [PEER, LAB]}],
    [{"domain": "example.net.example", "unknown": "cloud", "peers": [PEER]}],
    [{"domain": "example.org", "state": "absent"}],
    [{"domain": "example.net.example", "state": "absent"}, {"domain": "example.org", "peers": [LAB, PEER]}],
    DOMAINS,
]


def after_texts(result: dict[str, Any]) -> dict[str, str]:
    return {entry["after_header"]: entry["after"] for entry in result["diff"]}


def test_check_mode_tells_exactly_what_the_run_does(set_up: SplitServer) -> None:
    for domains in CHANGES:
        before, reloads = state(set_up), set_up.reloads()
        foretold = set_up.split(*domains, check=True)
        assert state(set_up) == before
        assert set_up.reloads() == reloads
        done = set_up.split(*domains)
        assert foretold == done
        assert done["changed"]
        for path, text in after_texts(done).items():
            assert Path(path).read_text() == text
        changed_files = {name for name, content in state(set_up)[0].items() if before[0].get(name) != content}
        told = {Path(path).name for path in after_texts(done)}
        assert {name for name in changed_files if not name.endswith((".lmdb", ".json"))} <= {
            "main.cf" if name == "main.cf" else f"split_domain/{name}" for name in told
        } | {"split_domain/routes"}


def test_check_mode_foretells_the_first_set_up_and_the_last_removal(server: SplitServer) -> None:
    for domains in (
        DOMAINS,
        [{"domain": "example.com", "state": "absent"}, {"domain": "example.org", "state": "absent"}],
    ):
        before = server.files(), server.times()
        foretold = server.split(*domains, check=True)
        assert (server.files(), server.times()) == before
        done = server.split(*domains)
        assert foretold == done
        main_cf = after_texts(done)[str(server.main_cf)]
        assert server.main_cf.read_text() == main_cf


def test_only_one_reload_for_any_number_of_domains(set_up: SplitServer) -> None:
    reloads = set_up.reloads()
    many = [{"domain": f"d{number}.example", "unknown": "cloud", "peers": [PEER, LAB]} for number in range(20)]
    set_up.split(*many)
    assert set_up.reloads() - reloads <= 1
    set_up.split(*DOMAINS, purge=True)


def test_server_that_does_not_run_is_set_up_and_not_started(server: SplitServer) -> None:
    server.split(*DOMAINS)
    assert server.command("postfix", "status").returncode != 0
    server.start()
    assert server.ask("nobody@example.org").code == 550
