# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records as Ansible runs it: options, check mode, diff, secrets, examples, a missing library.

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import yaml
from named_server import READER, SECRETS, WRITER, Named, Zone

COLLECTION = Path(__file__).resolve().parents[3]
MX1 = {"preference": 10, "exchange": "mx1.example.com"}


def run(tasks: list[dict[str, Any]], tmp_path: Path, *options: str, **play: Any) -> subprocess.CompletedProcess[str]:
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **play}]))
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION / ".build" / "link"),
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
    }
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), *options, playbook],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def server(named: Named) -> dict[str, Any]:
    return {"server": named.address, "port": named.port, "key_name": WRITER, "key_secret": SECRETS[WRITER]}


def publish(named: Named, *record_sets: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"mailops.split_domain.mx_records": {**server(named), "record_sets": list(record_sets), **options}}


def test_check_mode_shows_the_diff_a_run_writes_it_and_a_second_run_changes_nothing(named, tmp_path):
    task = publish(named, {"name": "example.com", "mx": [{**MX1, "preference": "010"}]})
    predicted = run([task], tmp_path, "--check", "--diff")
    assert "+example.com. 3600 IN MX 10 mx1.example.com." in predicted.stdout
    assert "changed=1" in predicted.stdout and named.mx("example.com") == []
    both = run([task, task], tmp_path)
    assert "ok=2    changed=1" in both.stdout
    assert named.mx("example.com") == [(10, "mx1.example.com.", 3600)]


def test_the_secret_is_never_shown(named, tmp_path):
    done = run([publish(named, {"name": "example.com", "mx": [MX1]})], tmp_path, "-vvvv")
    failed = run(
        [publish(named, {"name": "locked.example", "mx": [{"preference": 9, "exchange": "mx2.example.com"}]})],
        tmp_path,
        "-vvvv",
    )
    assert done.returncode == 0 and failed.returncode != 0
    assert SECRETS[WRITER] not in done.stdout + done.stderr + failed.stdout + failed.stderr


def test_the_key_of_the_environment_signs_and_its_secret_is_never_shown(named, tmp_path, monkeypatch):
    task = publish(named, {"name": "example.com", "mx": [MX1]})
    options = task["mailops.split_domain.mx_records"]
    del options["key_name"], options["key_secret"]
    assert "REFUSED" in run([task], tmp_path).stdout
    monkeypatch.setenv("SPLIT_DOMAIN_DNS_KEY_NAME", WRITER)
    monkeypatch.setenv("SPLIT_DOMAIN_DNS_KEY_SECRET", SECRETS[WRITER])
    done = run([task], tmp_path, "-vvvv")
    monkeypatch.setenv("SPLIT_DOMAIN_DNS_KEY_SECRET", SECRETS[READER])
    failed = run([task], tmp_path, "-vvvv")
    assert "changed=1" in done.stdout and "BADSIG" in failed.stdout
    for secret in SECRETS.values():
        assert secret not in done.stdout + done.stderr + failed.stdout + failed.stderr


def test_an_error_is_one_sentence_for_the_user(named, tmp_path):
    failed = run(
        [publish(named, {"name": "locked.example", "mx": [{"preference": 9, "exchange": "mx2.example.com"}]})], tmp_path
    )
    assert "did not take the update of the zone locked.example and said REFUSED" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr


def test_the_server_and_the_key_may_come_from_module_defaults(named, tmp_path):
    task = {"mailops.split_domain.mx_records": {"record_sets": [{"name": "example.com", "mx": [MX1]}]}}
    defaults = {"group/mailops.split_domain.split_domain": server(named)}
    assert "changed=1" in run([task], tmp_path, module_defaults=defaults).stdout


def test_without_dnspython_the_task_says_what_to_install_and_where(named, tmp_path):
    venv.create(tmp_path / "bare")
    python = str(tmp_path / "bare" / "bin" / "python")
    task = publish(named, {"name": "example.com", "mx": [MX1]})
    failed = run([task], tmp_path, vars={"ansible_python_interpreter": python})
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "Traceback" not in said
    for word in ["dnspython is missing", python, "install dnspython 2.6"]:
        assert word in said


def test_the_examples_run_as_they_are_written_and_then_change_nothing(named, tmp_path):
    key_file = tmp_path / "mail-update.key"
    key_file.write_text(f'key "{WRITER}" {{ algorithm hmac-sha256; secret "{SECRETS[WRITER]}"; }};\n')
    key_file.chmod(0o600)
    source = (COLLECTION / "plugins/modules/mx_records.py").read_text(encoding="utf-8")
    tasks: list[dict[str, Any]] = yaml.safe_load(source.split('EXAMPLES = r"""')[1].split('"""')[0])
    assert len(tasks) >= 3
    for task in tasks:
        options = task["mailops.split_domain.mx_records"]
        # The reader's server, key file and secondaries are not here; everything else is as it is written.
        if "zone_file" in options:
            (tmp_path / "db").write_text(Zone().text("127.0.0.1"))
            options.update(zone_file=str(tmp_path / "db"), reload_command=["true"])
        else:
            options.update(server=named.address, port=named.port)
        options.pop("wait", None)
        if "key_file" in options:
            options["key_file"] = str(key_file)
        for record_set in options["record_sets"]:
            assert record_set["name"] == "@" or record_set["name"].endswith(("example.com", "example.net"))
    for task in tasks:
        ran = run([task, task], tmp_path, vars={"vault_dns_key": SECRETS[WRITER]})
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "changed=1" in ran.stdout or "changed=0" in ran.stdout
    assert named.mx("example.com")
    assert "MX\t10 mx1.example.org." in (tmp_path / "db").read_text()
