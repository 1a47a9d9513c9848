# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of SIGKILL at every step of a run: mail is taken or deferred but never refused for it, and the next run repairs.

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from split_network import Network
from split_server import SplitServer, configured_server

KILLED_MODULE = Path(__file__).parents[1] / "postfix" / "killed_module.py"
PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}}
LAB = {"site": "lab", "relay": {"host": "198.51.100.30"}, "clients": ["198.51.100.0/24"]}
KNOWN = ("ann@example.com", "bob@example.com")
MOST_STEPS = 400


@pytest.fixture
def running(server: SplitServer) -> Iterator[SplitServer]:
    server.start()
    return server


def kill_at(server: SplitServer, step: int, module: str, **arguments: Any) -> bool:
    """Run a module that is killed before its given step; False when it came to its end before."""
    values = {**arguments, "config_directory": str(server.config), "_ansible_diff": True}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"ANSIBLE_MODULE_ARGS": values}, file)
        file.flush()
        command = [sys.executable, str(KILLED_MODULE), module, str(step), str(server.config), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGKILL:
        return True
    assert done.returncode == 0, done.stdout + done.stderr
    return False


def answers(server: SplitServer) -> dict[str, str]:
    """Return what main.cf and every table say, and all files that are no index."""
    files = {name: content.decode() for name, content in server.files().items() if not name.endswith(".lmdb")}
    if "split_domain" in files["main.cf"]:
        # In which order parameters of ours stand depends on which of them came when.
        files["main.cf"] = server.command("postconf", "-n").stdout
    for name in list(files):
        if (server.config / f"{name}.lmdb").exists():
            files[f"{name}.lmdb"] = server.command("postmap", "-s", f"lmdb:{server.config / name}").stdout
    return files


def is_taken_or_deferred(server: SplitServer, address: str) -> bool:
    return server.ask(address).code // 100 in (2, 4)


def steps(stride: int) -> range:
    """Give the steps to be killed at: all of them on demand, else one of ``stride``."""
    return range(1, MOST_STEPS, 1 if os.environ.get("EVERY_STEP") else stride)


def test_a_change_of_the_settings_can_be_killed_anywhere(running: SplitServer) -> None:
    wishes: list[list[dict[str, Any]]] = [
        [{"domain": "example.com", "unknown": "cloud", "peers": [PEER]}],
        [
            {"domain": "example.com", "unknown": "lab", "peers": [PEER, LAB]},
            {"domain": "b.example.com", "peers": [LAB]},
        ],
    ]
    running.routes(
        "example.com",
        routes=[{"address": KNOWN[0], "to": "local"}, {"address": KNOWN[1], "to": "198.51.100.20"}],
    )
    wanted: list[dict[str, str]] = []
    for domains in wishes[::-1]:
        running.split(*domains, purge=True)
        wanted.insert(0, answers(running))
    killed = 0
    for step in steps(3):
        domains, after = wishes[(killed + 1) % 2], wanted[(killed + 1) % 2]
        if not kill_at(running, step, "split_domains", domains=domains, purge=True):
            break
        killed += 1
        check = running.command("postfix", "check")
        assert (check.returncode, check.stderr) == (0, ""), f"step {step}"
        assert all(is_taken_or_deferred(running, address) for address in KNOWN), f"step {step}"
        assert running.ask("nobody@example.com").code == 450, f"step {step}"
        running.split(*domains, purge=True)
        assert answers(running) == after, f"step {step}"
    else:
        pytest.fail("the module never came to its end")
    assert killed > 3


def test_a_change_of_the_routes_can_be_killed_anywhere(running: SplitServer) -> None:
    running.split({"domain": "example.com", "unknown": "cloud", "peers": [PEER]})
    wishes = [
        [{"address": address, "to": "local"} for address in (*KNOWN, "old@example.com")],
        [{"address": address, "to": "198.51.100.20"} for address in (*KNOWN, "new@example.com")],
    ]
    wanted = []
    for routes in wishes:
        running.routes("example.com", state="exact", routes=routes)
        wanted.append(answers(running))
    killed = 0
    for step in steps(1):
        routes, after = wishes[killed % 2], wanted[killed % 2]
        if not kill_at(running, step, "recipient_routes", domain="example.com", state="exact", routes=routes):
            break
        killed += 1
        assert all(running.ask(address).code == 250 for address in KNOWN), f"step {step}"
        running.routes("example.com", state="exact", routes=routes)
        assert answers(running) == after, f"step {step}"
    assert killed > 3


def test_the_first_set_up_and_the_removal_can_be_killed_anywhere(network: Network) -> None:
    arguments = {"domains": [{"domain": "example.com", "unknown": "cloud", "peers": [PEER]}]}
    with configured_server(network, "hq") as server:
        server.start()
        before = answers(server)
        server.split(*arguments["domains"])
        after = answers(server)
        server.split(purge=True)
        assert answers(server) == before
        setting_up = removing = True
        for step in steps(4):
            if setting_up:
                setting_up = kill_at(server, step, "split_domains", **arguments)
                check_foreign_mail(server, step)
            server.split(*arguments["domains"])
            assert answers(server) == after, f"step {step} of the set-up"
            if removing:
                removing = kill_at(server, step, "split_domains", domains=[], purge=True)
                check_foreign_mail(server, step)
            server.split(purge=True)
            assert answers(server) == before, f"step {step} of the removal"
            if not (setting_up or removing):
                return
    pytest.fail("the module never came to its end")


def check_foreign_mail(server: SplitServer, step: int) -> None:
    """The server's other mail is not disturbed, and nobody may relay through it."""
    assert server.command("postfix", "check").stderr == "", f"step {step}"
    assert server.ask("carl@example.net").code == 250, f"step {step}"
    assert server.ask("someone@elsewhere.test").code == 554, f"step {step}"
