# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the role mx: what it publishes to a real BIND, and what it refuses to publish after asking the exchanges.

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from named_server import SECRETS, WRITER, Named, Zone, started_named
from smtp_wire_server import WireServer

# Exchanges are asked on port 25, so each has an address of its own.
TAKING, REFUSING, BUSY, SILENT = "127.0.0.81", "127.0.0.82", "127.0.0.83", "127.0.0.84"
HOSTS = {"taking": TAKING, "refusing": REFUSING, "busy": BUSY, "silent": SILENT}
ZONE = "".join(f"{name} A {address}\n" for name, address in HOSTS.items()) + "@ MX 10 old.example.net.\n"
BEFORE = [(10, "old.example.net.", 300)]


@dataclass(frozen=True)
class Run:
    """One run of the role: the first failure, if any, and the tasks that ran and changed something."""

    failure: str | None
    ran: list[str]
    changed: list[str]
    output: str


@pytest.fixture
def named() -> Iterator[Named]:
    with started_named({"example.com": Zone(ZONE)}) as running:
        yield running


@pytest.fixture(scope="module")
def exchanges() -> Iterator[dict[str, WireServer]]:
    def refuse_everybody(_connection: int, _count: int) -> bytes:
        return b"554 5.7.1 Relay access denied\r\n"

    servers = {
        "taking": WireServer(place=(TAKING, 25)),
        "refusing": WireServer(place=(REFUSING, 25), replies={"RCPT": refuse_everybody}),
        "busy": WireServer(place=(BUSY, 25), greeting=b"421 4.3.2 Too busy\r\n"),
    }
    yield servers
    for server in servers.values():
        server.close()


def split_map(*mx: tuple[int, str], **domain: Any) -> list[dict[str, Any]]:
    """Give a split map whose MX set names hosts of the zone."""
    return [
        {
            "domain": "example.com",
            "directory": [
                {"address": "alice@example.com", "site": "hq"},
                {"address": "bob@example.com", "site": "cloud"},
            ],
            "mx": [{"preference": preference, "exchange": f"{host}.example.com"} for preference, host in mx],
            "sites": [
                {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]},
                {"name": "cloud", "hosts": ["mx.cloud.example.net"]},
            ],
            **domain,
        }
    ]


def run_role(folder: Path, named: Named, split_domains: list[dict[str, Any]], *flags: str, **variables: Any) -> Run:
    """Run the role on this machine as a user's play does."""
    dns = {"server": named.address, "port": named.port, "key_name": WRITER, "key_secret": SECRETS[WRITER]}
    play = {
        "name": "Publish the MX records",
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"split_domains": split_domains, "split_domain_dns": dns, **variables},
        "roles": ["mailops.split_domain.mx"],
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    collections = next(path for path in map(Path, sys.path) if (path / "ansible_collections/mailops").is_dir())
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", *flags],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stdout + ran.stderr
    tasks = [
        (task["task"]["name"].partition(" : ")[2], task["hosts"]["localhost"])
        for task in json.loads(ran.stdout)["plays"][0]["tasks"]
    ]
    return Run(
        failure=next((result["msg"] for _name, result in tasks if result.get("failed")), None),
        ran=[name for name, result in tasks if not result.get("skipped") and not name.startswith("Validating")],
        changed=[name for name, result in tasks if result.get("changed")],
        output=ran.stdout + ran.stderr,
    )


LOOK = "See which MX records would change"
ASK = "Ask the exchanges whether they take the mail"
REFUSE = "Refuse exchanges that would not take the mail"
PUBLISH = "Publish the MX records of all split domains"


def test_a_set_whose_exchanges_take_the_mail_is_published_once(
    named: Named, exchanges: dict[str, WireServer], tmp_path: Path
) -> None:
    wanted = split_map((10, "taking"), (20, "busy"), mx_ttl=60)
    first = run_role(tmp_path, named, wanted)
    assert (first.failure, first.changed) == (None, [PUBLISH])
    assert first.ran == [LOOK, ASK, REFUSE, PUBLISH]
    assert named.mx("example.com") == [(10, "taking.example.com.", 60), (20, "busy.example.com.", 60)]
    asked = [line for connection in exchanges["taking"].connections for line in connection]
    assert [line for line in asked if line.startswith("RCPT")] == [
        "RCPT TO:<postmaster@example.com>",
        "RCPT TO:<alice@example.com>",
        "RCPT TO:<bob@example.com>",
    ]
    # An unchanged run asks nobody, and costs one question to the DNS server.
    again = run_role(tmp_path, named, wanted)
    assert (again.failure, again.changed, again.ran) == (None, [], [LOOK])


@pytest.mark.usefixtures("exchanges")
def test_an_exchange_that_does_not_listen_is_refused_and_nothing_is_published(named: Named, tmp_path: Path) -> None:
    run = run_role(tmp_path, named, split_map((10, "taking"), (20, "silent")))
    assert run.failure is not None
    assert run.failure.startswith(
        "No MX record was changed. The exchange silent.example.com of example.com takes no mail: "
        "nothing listens on silent.example.com port 25"
    )
    assert "Set mx_check_exchanges to false" in run.failure
    assert named.mx("example.com") == BEFORE
    assert SECRETS[WRITER] not in run.output


@pytest.mark.usefixtures("exchanges")
def test_a_set_whose_best_exchange_refuses_the_mail_is_refused_and_nothing_is_published(
    named: Named, tmp_path: Path
) -> None:
    run = run_role(tmp_path, named, split_map((10, "refusing"), (20, "taking")))
    assert run.failure is not None
    assert "The exchange refusing.example.com of example.com, which senders try first, refuses its mail" in run.failure
    assert "554 5.7.1 Relay access denied to postmaster@example.com" in run.failure
    assert named.mx("example.com") == BEFORE


@pytest.mark.usefixtures("exchanges")
def test_a_worse_exchange_may_refuse_for_it_is_tried_only_when_others_are_down(named: Named, tmp_path: Path) -> None:
    assert run_role(tmp_path, named, split_map((10, "taking"), (20, "refusing"))).failure is None


def test_what_would_be_refused_is_published_when_nobody_is_to_be_asked(named: Named, tmp_path: Path) -> None:
    run = run_role(tmp_path, named, split_map((10, "silent")), mx_check_exchanges=False)
    assert (run.failure, run.ran) == (None, [PUBLISH])
    assert named.mx("example.com") == [(10, "silent.example.com.", 300)]


def test_check_mode_asks_no_exchange_and_predicts_the_change(named: Named, tmp_path: Path) -> None:
    run = run_role(tmp_path, named, split_map((10, "silent")), "--check")
    assert (run.failure, run.ran, run.changed) == (None, [PUBLISH], [PUBLISH])
    assert named.mx("example.com") == BEFORE


def test_another_ttl_is_published_although_the_exchange_is_down(named: Named, tmp_path: Path) -> None:
    wanted = split_map((10, "silent"))
    run_role(tmp_path, named, wanted, mx_check_exchanges=False)
    run = run_role(tmp_path, named, split_map((10, "silent"), mx_ttl=60))
    assert (run.failure, run.ran) == (None, [LOOK, PUBLISH])
    assert named.mx("example.com") == [(10, "silent.example.com.", 60)]


@pytest.mark.usefixtures("exchanges")
def test_a_sub_domain_gets_its_own_set_and_is_asked_for_by_its_own_name(
    named: Named, exchanges: dict[str, WireServer], tmp_path: Path
) -> None:
    (domain,) = split_map((10, "taking"), mx_ttl=60)
    cloud = {**domain["sites"][1], "relay": "taking.example.com", "subdomain": "cloud.example.com"}
    known = len(exchanges["taking"].connections)
    run = run_role(tmp_path, named, [{**domain, "sites": [domain["sites"][0], cloud]}])
    assert run.failure is None
    assert named.mx("cloud.example.com") == [(10, "taking.example.com.", 60)]
    asked = [line for connection in exchanges["taking"].connections[known:] for line in connection]
    assert "RCPT TO:<bob@cloud.example.com>" in asked


def test_a_null_mx_has_no_exchange_to_be_asked(named: Named, tmp_path: Path) -> None:
    (domain,) = split_map()
    run = run_role(tmp_path, named, [{**domain, "mx": [{"preference": 0, "exchange": "."}]}])
    assert (run.failure, run.ran) == (None, [LOOK, PUBLISH])
    assert named.mx("example.com") == [(0, ".", 300)]
