# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tasks as they are documented, run as one play on this machine.

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from named_server import SECRETS, WRITER

SETTINGS = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_PIPELINING": "true",
}
BIN = Path(sys.executable).parent
VARIABLES = {
    "vault_dns_key": SECRETS[WRITER],
    "vault_hosted_password": "secret",
    "vault_smarthost_password": "secret",
    "mail_domains": ["example.com", "example.net"],
}


def run_examples(text: str, places: dict[str, str], folder: Path, config: Path, *flags: str) -> dict[str, Any]:
    """Run a list of tasks as one play on this machine, and give what Ansible reports of it."""
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
    # A page need not name what every host has: its Postfix and its resolver.
    resolver = yaml.safe_load(places["resolver: [192.0.2.53]"].replace("\n    ", "\n"))
    defaults: dict[str, dict[str, Any]] = {f"mailops.split_domain.{name}": {} for name in (*of_postfix, "mx_info")}
    for name in of_postfix:
        defaults[f"mailops.split_domain.{name}"]["config_directory"] = str(config)
    for name in ("email_routing", "mx_info"):
        defaults[f"mailops.split_domain.{name}"].update(resolver)
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": defaults,
        "vars": VARIABLES,
        "tasks": yaml.safe_load(text),
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    ran = subprocess.run(
        [str(BIN / "ansible-playbook"), str(folder / "play.yml"), *flags],
        env={**os.environ, **SETTINGS},
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
