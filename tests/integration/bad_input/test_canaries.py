# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that no secret comes out anywhere: a canary in right and wrong places of every module, filter and role.
#
# One very verbose run of ansible-playbook does all tasks; then whatever it wrote, said and left behind is searched.

from __future__ import annotations

import ast
import base64
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from canaries import (
    ACTIONS,
    B64,
    CANARY,
    COLLECTION,
    FILTERS_OF_MAPS,
    MODULES,
    OTHER_FILTERS,
    RETURNED,
    RIGHT,
    ROLE_CASES,
    ROLE_VARIABLES,
    SECRET,
    WORD,
    WRONG_MAPS,
    C,
    W,
    mapped,
)
from forked_module import run_module
from split_network import Network
from split_server import SplitServer, configured_server

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
ROLES = PLUGINS.parent / "roles"


def names_in(folder: str) -> list[str]:
    return sorted(path.stem for path in (PLUGINS / folder).glob("*.py"))


def test_every_plugin_and_role_has_a_canary() -> None:
    assert sorted(MODULES) == names_in("modules")
    assert sorted([*FILTERS_OF_MAPS, *OTHER_FILTERS]) == names_in("filter")
    assert sorted(ROLE_CASES) == sorted(path.name for path in ROLES.iterdir() if path.is_dir())
    assert names_in("action") == ACTIONS
    assert {path.name for path in PLUGINS.iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        *("action", "doc_fragments", "filter", "module_utils", "modules"),
    }


def rendered(value: Any) -> Any:
    """Give a value as a task gives it to a module, with the secrets in the places of their variables."""
    if isinstance(value, dict):
        return {name: rendered(found) for name, found in value.items()}
    if isinstance(value, list):
        return [rendered(found) for found in value]
    if not isinstance(value, str):
        return value
    coded = base64.b64encode(WORD.encode()).decode()
    return value.replace(B64, coded * 2).replace(C, SECRET).replace(W, WORD)


def with_config(name: str, arguments: dict[str, Any], config: Path) -> dict[str, Any]:
    more = {} if name in ("smtp_probe", "mx_records", "mx_info") else {"config_directory": str(config)}
    return {**arguments, **more}


def tasks_of(config: Path) -> list[dict[str, Any]]:
    """Give the tasks of the run: a right case of everything, and a wrong one."""
    tasks: list[dict[str, Any]] = []
    for name, cases in MODULES.items():
        for arguments in cases if name in ACTIONS else cases[:2]:
            tasks.append({f"{COLLECTION}.{name}": with_config(name, arguments, config)})
    for name, behind in FILTERS_OF_MAPS.items():
        for which in ("right", "wrong"):
            found = f"map_{which} | {COLLECTION}.{name}{behind}"
            # The passwords themselves are what one of the filters is for.
            shown = f"({found}) | length" if name == "server_passwords" else found
            tasks.append({"ansible.builtin.debug": {"msg": "{{ " + shown + " }}"}})
    for name, behind in OTHER_FILTERS.items():
        tasks.append({"ansible.builtin.debug": {"msg": "{{ returned | " + f"{COLLECTION}.{name}{behind}" + " }}"}})
    for name, cases in ROLE_CASES.items():
        for variables in cases:
            role = {"name": f"{COLLECTION}.{name}", "apply": {"ignore_errors": True}}
            tasks.append({"ansible.builtin.include_role": role, "vars": {**ROLE_VARIABLES, **variables}})
    return tasks


@contextmanager
def watched_processes() -> Iterator[list[str]]:
    """Give the processes in whose arguments or surroundings the canary was seen meanwhile."""
    seen: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        text = (process / name).read_bytes()
                    except OSError:
                        continue
                    if CANARY.encode() in text:
                        seen.append(f"{process.name} {text[:80]!r}")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


@contextmanager
def system_log() -> Iterator[list[str]]:
    """Give what is sent to the log of the system meanwhile; nothing where there is one already."""
    said: list[str] = []
    place = Path("/dev/log")
    if place.exists():
        yield said
        return
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(place))
    listener.settimeout(0.1)
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            try:
                said.append(listener.recv(1 << 20).decode(errors="replace"))
            except socket.timeout:
                continue

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield said
    finally:
        ended.set()
        thread.join()
        place.unlink()
        listener.close()


def lines_with_it(text: str) -> list[str]:
    """Give the lines that have the canary, as it is or in base64, where it may stand at three places."""
    coded = [base64.b64encode(b" " * place + CANARY.encode())[4:12].decode() for place in range(3)]
    return [line[:600] for line in text.splitlines() if CANARY in line or any(one in line for one in coded)]


@pytest.fixture(scope="module")
def server() -> Iterator[SplitServer]:
    network = Network("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", None)  # type: ignore[arg-type]
    with configured_server(network, "hq") as configured:
        yield configured


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, cases in MODULES.items() for number in range(len(cases))]
)
def test_no_result_and_no_log_of_a_module_has_the_secret(server: SplitServer, name: str, number: int) -> None:
    arguments = with_config(name, MODULES[name][number], server.config)
    if "path" in arguments:
        arguments["path"] = arguments["path"].replace("{{ folder }}", str(server.config))
    with system_log() as logged:
        result = run_module(name, {**rendered(arguments), "_ansible_diff": True, "_ansible_verbosity": 3})
    assert "invocation" in result
    assert lines_with_it(json.dumps(result, ensure_ascii=False)) == []
    assert lines_with_it("\n".join(logged)) == []


@pytest.mark.parametrize("number", range(len(WRONG_MAPS)))
@pytest.mark.parametrize("name", FILTERS_OF_MAPS)
def test_no_refusal_of_a_filter_has_the_secret(name: str, number: int) -> None:
    plugin = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.filter.{name}")
    work = plugin.FilterModule().filters()[name]
    arguments = ast.literal_eval(FILTERS_OF_MAPS[name].replace("true", "True")[:-1] + ",)")
    try:
        found = work(rendered(WRONG_MAPS[number]), *arguments)
    except AnsibleFilterError as error:
        assert lines_with_it("".join(traceback.format_exception(error))) == []
    else:
        # Nothing wrong for this one: it does not look at relays, or passes the passwords on.
        assert name == "server_passwords" or lines_with_it(json.dumps(found)) == []


def test_no_canary_is_found_anywhere_after_a_run_that_shows_all_it_can(server: SplitServer, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folders = {name: tmp_path / name for name in ("cache", "remote", "local", "play", "temporary")}
    for folder in folders.values():
        folder.mkdir()
    play = folders["play"]
    (play / "rows.csv").write_text("address,site\nbob@example.com,cloud\n")
    values = {
        "secret": SECRET,
        "word": WORD,
        "folder": str(server.config),
        "returned": RETURNED,
        "map_right": mapped(RIGHT),
        "map_wrong": WRONG_MAPS[0],
    }
    # What is written in a playbook itself, Ansible shows beside its failures: secrets come from elsewhere, as always.
    (play / "secret").write_text(SECRET)
    (play / "word").write_text(WORD)
    looked_up = "{{{{ lookup('ansible.builtin.file', '{}') }}}}"
    values.update({name: looked_up.format(play / name) for name in ("secret", "word")})
    (play / "values.json").write_text(json.dumps(values))
    tasks: list[dict[str, Any]] = []
    for number, task in enumerate(tasks_of(server.config)):
        keep = {f"result_{number}": "{{ found }}", "cacheable": True}
        tasks.append({"name": f"Task {number}", **task, "register": "found", "ignore_errors": True})
        if number % 4 == 0 and not any("include_role" in name for name in task):
            tasks.append({"name": "Keep", "ansible.builtin.set_fact": keep})
    (play / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    with watched_processes() as seen, system_log() as logged:
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-vvv", "--diff", "-e", "@values.json", "play.yml"],
            cwd=play,
            env={
                **os.environ,
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
                "ANSIBLE_CACHE_PLUGIN": "jsonfile",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folders["cache"]),
                "ANSIBLE_REMOTE_TMP": str(folders["remote"]),
                "ANSIBLE_LOCAL_TEMP": str(folders["local"]),
                "TMPDIR": str(folders["temporary"]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        time.sleep(0.3)
    said = done.stdout + done.stderr
    assert said.count("TASK [Task ") >= len(tasks_of(server.config)), said[-3000:]
    assert "Traceback" not in said
    assert lines_with_it(said) == []
    assert lines_with_it("\n".join(logged)) == []
    assert seen == []
    assert any(folders["cache"].iterdir()) and (tmp_path / "log").stat().st_size
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != play]
    assert [path for path in files if lines_with_it(path.read_text(errors="replace"))] == []
    kept = [path for path in server.directory.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert kept and [path for path in kept if path.stat().st_mode & 0o077] == []
