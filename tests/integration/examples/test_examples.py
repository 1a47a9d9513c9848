# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the modules' documentation: every example runs, against real servers, as it is written.

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from internet import Internet, started_internet
from named_server import LOCKED, SECRETS, WRITER, Named, Zone
from receiving_postfix import Postfix, started_postfix
from static_zones import rndc_of, started_static_named
from update_relay import relay_to
from zones import FIRST
from zones import Zone as PublicZone

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
BIN = Path(sys.executable).parent
# The zones name this as their server, and clients that wait for all servers of a zone ask there at port 53.
DNS_ADDRESS = "127.0.0.73"
OTHER_MAIL_SERVER = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx1.example.com
mydestination =
mynetworks =
"""
DIRECTORY = "address,site\nalice@example.com,hq\nbob@example.com,cloud\n"


def examples_of(module: str) -> str:
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{module} has no EXAMPLES")


@pytest.fixture(scope="module")
def name_server() -> Iterator[Named]:
    with (
        started_static_named(
            {"example.com": Zone(), "example.net": Zone(), "example.org": Zone(policy=LOCKED)}, address=DNS_ADDRESS
        ) as named,
        relay_to(named, address=DNS_ADDRESS, port=53),
    ):
        yield named


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    """What a resolver finds of the domains in the examples."""
    parents = [PublicZone(name, servers=("ns0",)) for name in (".", "com", "net")]
    zones = [
        PublicZone("example.com", f"@ MX 10 mail\nprimary A {FIRST}\n"),
        PublicZone("example.net", "@ MX 10 mail\n"),
    ]
    with started_internet(zones, {}, parents) as running:
        yield running


@pytest.fixture(scope="module")
def receiving() -> Iterator[Postfix]:
    with started_postfix() as postfix:
        yield postfix


@pytest.fixture
def managed() -> Iterator[Postfix]:
    """A mail server that knows of no split domain yet."""
    with started_postfix(OTHER_MAIL_SERVER) as postfix:
        yield postfix


@pytest.fixture
def places(
    name_server: Named, internet: Internet, receiving: Postfix, managed: Postfix, tmp_path: Path
) -> dict[str, str]:
    """What stands in the examples, and what takes its place here."""
    key_file = tmp_path / "mail-update.key"
    key_file.write_text(f'key "{WRITER}" {{ algorithm hmac-sha256; secret "{SECRETS[WRITER]}"; }};\n')
    key_file.chmod(0o600)
    (tmp_path / "example.com.csv").write_text(DIRECTORY)
    return {
        "server: 192.0.2.53": f"server: {name_server.address}\n    port: {name_server.port}",
        "wait_servers: [192.0.2.54]": f"wait_servers: [{DNS_ADDRESS}]",
        "resolver: [192.0.2.53]": (
            f"resolver: [{internet.resolver.address}]\n    resolver_port: {internet.resolver.port}"
        ),
        "/etc/bind/mail-update.key": str(key_file),
        "/etc/bind/db.example.org": str(name_server.folder / "example.org.zone"),
        "[rndc, reload]": json.dumps([*rndc_of(name_server), "reload"]),
        "/etc/postfix": str(managed.config),
        "host: mx1.example.com": f"host: localhost\n    port: {receiving.port}",
    }


def run_examples(module: str, places: dict[str, str], folder: Path, config: Path, *flags: str) -> dict[str, Any]:
    """Run all examples of a module as one play on this machine, and give what Ansible reports of it."""
    text = examples_of(module)
    for documented, here in places.items():
        text = text.replace(documented, here)
    of_postfix = (
        "email_routing",
        "postfix_map",
        "postfix_parameters",
        "recipient_routes",
        "route_info",
        "split_domains",
    )
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {f"mailops.split_domain.{name}": {"config_directory": str(config)} for name in of_postfix},
        "vars": {"vault_dns_key": SECRETS[WRITER], "vault_smarthost_password": "secret"},
        "tasks": yaml.safe_load(text),
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    ran = subprocess.run(
        [str(BIN / "ansible-playbook"), str(folder / "play.yml"), *flags],
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def failures_of(report: dict[str, Any]) -> list[str]:
    return [
        f"{task['task']['name']}: {result.get('msg')}"
        for task in report["plays"][0]["tasks"]
        for result in task["hosts"].values()
        if result.get("failed") or result.get("unreachable")
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_example_shows_its_module_under_its_full_name(module: str) -> None:
    tasks = yaml.safe_load(examples_of(module))
    assert any(f"mailops.split_domain.{module}" in task for task in tasks)
    assert all(task["name"] and any("." in word for word in task) for task in tasks)


@pytest.mark.parametrize("module", MODULES)
def test_every_example_runs(module: str, places: dict[str, str], managed: Postfix, tmp_path: Path) -> None:
    report = run_examples(module, places, tmp_path, managed.config)
    assert failures_of(report) == []
    assert report["stats"]["localhost"]["ok"] == len(yaml.safe_load(examples_of(module)))


@pytest.mark.parametrize("module", MODULES)
def test_check_mode_of_the_examples_changes_no_file_of_the_mail_server(
    module: str, places: dict[str, str], managed: Postfix, tmp_path: Path
) -> None:
    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(managed.config.rglob("*")) if path.is_file()}

    before = files()
    report = run_examples(module, places, tmp_path, managed.config, "--check")
    assert files() == before
    # Later examples build on earlier ones, which check mode did not carry out; a traceback is a fault all the same.
    assert "Traceback" not in json.dumps(report)
