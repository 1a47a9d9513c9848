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
from forked_module import run_module
from split_network import Network
from split_server import SplitServer, configured_server

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
ROLES = PLUGINS.parent / "roles"
COLLECTION = "mailops.split_domain"
CANARY = "CANARY-7f3b"
# With all that has to be written otherwise in Python, JSON, YAML and a shell.
SECRET = f'{CANARY}\'s \\ "{{x}}" ${{y}} ü'
# In a URL and in a name no blank stands.
WORD = f"{CANARY}.w\\rd"
C, W, B64 = "{{ secret }}", "{{ word }}", "{{ word | b64encode }}{{ word | b64encode }}"
NOWHERE = {"host": "127.0.0.1", "port": 9}
PASSWORD = {**NOWHERE, "password": C}
ROUTE = {"address": "bob@example.com", "to": NOWHERE}


def relay(**more: Any) -> dict[str, Any]:
    """Give the domain with another site whose relay has these properties."""
    peer = {"site": "cloud", "relay": {**NOWHERE, **more}, "clients": ["192.0.2.9"]}
    return {"domain": "example.com", "peers": [peer]}


def key(**more: Any) -> dict[str, Any]:
    """Give the arguments of an update that nobody takes."""
    sets = [{"name": "example.com", "mx": [{"preference": 10, "exchange": "mx1.example.com"}]}]
    return {"server": "127.0.0.1", "port": 9, "timeout": 1, "record_sets": sets, **more}


def asked(**more: Any) -> dict[str, Any]:
    """Give the arguments of a question that nobody answers."""
    return {**NOWHERE, "recipients": ["ann@example.com"], "timeout": 2, **more}


LOGIN = {"tls": "verify", "tls_names": ["mx.example.net"], "username": "u"}
# Arguments of each module: the first are right, the others have the secret in a wrong place.
MODULES: dict[str, list[dict[str, Any]]] = {
    "smtp_probe": [
        asked(**LOGIN, passwords=[PASSWORD]),
        asked(password=C),
        asked(**LOGIN, passwords=[{**NOWHERE, "passwrod": C}]),
        asked(**LOGIN, passwords=[C]),
        asked(**LOGIN, passwords=C),
        asked(**LOGIN, passwords={"127.0.0.1": C}),
        asked(**LOGIN, passwords=f"host=h,password={W}"),
        asked(**{**LOGIN, "username": f"u:{C}"}, passwords=[PASSWORD]),
        {**asked(), "host": f"smtp://u:{W}@mx.example.net"},
        {**asked(), "host": f"u:{W}"},
        {**asked(), "host": f"{W}@mx.example.net"},
        asked(addresses=[f"u:{W}@192.0.2.1"]),
        {**asked(), "recipients": [{"address": "ann@example.com", "kennwort": C}]},
        {**asked(), "recipients": [{"address": "ann@example.com", "password": C}]},
        asked(sender=f"u:{W}@example.org"),
    ],
    "split_domains": [
        {"domains": [relay(**LOGIN)], "passwords": [PASSWORD]},
        {"domains": [relay(**LOGIN, password=C)]},
        {"domains": [relay(**LOGIN, passwrod=C)]},
        {"domains": [relay(**LOGIN, kennwort=C)]},
        {"domains": [relay(**{**LOGIN, "username": f"u:{C}"})]},
        {"domains": [relay(host=f"smtp://u:{W}@mx.example.net")]},
        {"domains": [{**relay(), "password": C}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": f"smtp://u:{W}@h"}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": f"host=h passwrod={W}"}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": {"host": "h"}, "secret": C}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relays": [{"host": "h", "pw": C}]}]}]},
        {"domains": [relay(**LOGIN)], "passwords": [{**PASSWORD, "port": 10}], "passwrods": [PASSWORD]},
        {"domains": [relay(**LOGIN)], "passwords": [{"host": "127.0.0.1", "password": [C]}]},
    ],
    "recipient_routes": [
        {"domain": "example.com", "routes": [ROUTE]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": {**NOWHERE, "password": C}}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": f"smtp://u:{W}@h:25"}]},
        {"domain": "example.com", "routes": [{**ROUTE, "kennwort": C}]},
        {"domain": "example.com", "routes": [ROUTE], "passwrod": C},
        {"domain": "example.com", "src": "/nowhere", "sites": {"cloud": {**NOWHERE, "password": C}}},
        {"domain": "example.com", "src": "rows.csv", "sites": {"cloud": {**NOWHERE, "passwrod": C}}},
    ],
    "email_routing": [
        {"domains": [{"domain": "example.org", "mode": "local"}]},
        {"domains": [{"domain": "example.org", "mode": "local", "passwrod": C}]},
        {"domains": [{"domain": "example.org", "mode": "auto"}], "resolver": [f"u:{W}@127.0.0.1"]},
        {"domains": [{"domain": "example.org", "mode": "auto"}], "mx_sets": [{"name": "x", "password": C}]},
    ],
    "mx_records": [
        key(key_name="mail-update.", key_secret=B64),
        key(key_name="mail-update.", key_secret=C),
        key(key_name="mail-update.", key_secert=B64),
        key(key_name=f"hmac-sha256:mail-update:{B64}"),
        key(key_name=B64, key_secret=C),
        key(key_file=f'key "mail-update" {{ algorithm hmac-sha256; secret "{B64}"; }};'),
        key(key_name="mail-update.", key_secret=B64, key_algorithm=B64),
        {**key(), "server": f"mail-update:{W}@127.0.0.1"},
        {**key(), "server": f"tsig://{W}@127.0.0.1"},
    ],
    "mx_info": [
        {"names": ["example.com"], "resolver": ["127.0.0.1"], "resolver_port": 9, "timeout": 1},
        {"names": ["example.com"], "resolver": [f"u:{W}@127.0.0.1"]},
        {"names": ["example.com"], "key_secret": C},
    ],
    "postfix_map": [
        {"path": "{{ folder }}/sasl_passwd", "secret_entries": {"[h.example.net]:25": f"u:{C}"}},
        {"path": "{{ folder }}/sasl_two", "secret_entries": [{"key": "[h.example.net]:25", "value": f"u:{C}"}]},
        {"path": "{{ folder }}/sasl_three", "secret": True, "entries": {"[h.example.net]:25": f"u:{W}"}},
        {"path": "{{ folder }}/sasl_four", "secret": True, "content": f"[h.example.net]:25 u:{W}\n"},
        {"path": "{{ folder }}/sasl_five", "secret_entires": {"[h.example.net]:25": f"u:{C}"}},
        {"path": "{{ folder }}/sasl_six", "secret_entries": f"[h.example.net]:25 u:{C}"},
        {"path": "{{ folder }}/sasl_seven", "secret_entries": {"[h.example.net]:25": f"u:{C}\n"}, "mode": "1777"},
        {"path": "{{ folder }}/sasl_passwd", "secret_entries": {"[h.example.net]:25": f"u:x{C}"}},
        {"path": "{{ folder }}/sasl_passwd", "entries": {"[h.example.org]:25": "u"}},
    ],
    "postfix_parameters": [
        {"parameters": {"smtp_sasl_password_maps": "lmdb:/etc/postfix/sasl_passwd"}},
        {"parameters": {"smtp_sasl_password_maps": f"static:u:{W}"}},
        {"parameters": {"smtp_sasl_password_maps": f"inline:{{ {{[h]:587 = u:{W}}} }}"}},
        {"elements": [{"name": "smtp_sasl_password_maps", "elements": [f"static:u:{W}"]}]},
        {"parameters": {"relayhost": {"host": "h", "password": C}}},
        {"parameters": {"relayhost": f"smtp://u:{W}@h"}, "allow_unknown": True, "passwrod": C},
    ],
    "route_info": [
        {"addresses": ["bob@example.com"]},
        {"addresses": ["bob@example.com"], "password": C},
        {"addresses": [f"smtp://u:{W}@example.com"]},
    ],
}
SITES = [{"name": "hq", "role": "master", "hosts": ["localhost"], "clients": ["192.0.2.8"], "unknown": "cloud"}]
RIGHT = {**NOWHERE, **LOGIN, "password": C}


def mapped(found: Any, **more: Any) -> list[dict[str, Any]]:
    """Give a split map with a relay of the other site."""
    cloud = {"name": "cloud", "clients": ["192.0.2.9"], "unknown": "hq", "relay": found}
    rows = [{"address": "bob@example.com", "site": "cloud"}, {"address": "al@example.com", "site": "hq"}]
    return [{"domain": "example.com", "directory": rows, "sites": [*SITES, {**cloud, **more}]}]


WRONG_MAPS: list[Any] = [
    mapped({**RIGHT, "passwrod": C}),
    mapped({**RIGHT, "password": "x", "kennwort": C}),
    mapped({**RIGHT, "username": f"u:{C}"}),
    mapped({**RIGHT, "password": [C]}),
    mapped({**RIGHT, "password": f"{C}\n"}),
    mapped({**RIGHT, "password": {"vault": C}}),
    mapped({**RIGHT, "tls": "may"}),
    mapped({**RIGHT, "port": "x"}),
    mapped(f"smtp://u:{W}@mx.example.net"),
    mapped({"host": f"u:{W}@mx.example.net"}),
    mapped([RIGHT, f"smtp://u:{W}@mx.example.net"]),
    mapped([[RIGHT]]),
    mapped(RIGHT, password=C),
    mapped(RIGHT, clients=[f"u:{W}@192.0.2.9"]),
    mapped(RIGHT, name={"password": C}),
    mapped(RIGHT, verification_address=f"u:{W}@example.com"),
    mapped(RIGHT, local_transport={"password": C}),
    [{**mapped(RIGHT)[0], "password": C}],
    [{**mapped(RIGHT)[0], "directory": [{"mail": "bob@example.com", "kennwort": C}]}],
    [{**mapped(RIGHT)[0], "mx": [{"exchange": f"u:{W}@mx.example.net", "preference": 10}]}],
    [{**mapped(RIGHT)[0], "state": {"password": C}}],
    mapped(RIGHT)[0],
    {"password": C},
    f"smtp://u:{W}@mx.example.net",
]
HOST = "'localhost'"
# What stands behind the name of a filter of the split map; the others take what modules have returned.
FILTERS_OF_MAPS = {
    "exchange_probes": "({'record_sets': [], 'exchanges': []})",
    "foreign_subdomains": "(true)",
    "left_out_servers": f"({HOST}, [])",
    "mx_record_sets": "('all')",
    "server_passwords": f"({HOST})",
    "server_plan": f"({HOST})",
    "server_probes": f"({HOST})",
    "server_roles": f"({HOST})",
    "subdomain_probes": "([])",
}
RETURNED = [{"name": "x", "password": C, "item": {"host": f"u:{W}@h", "subdomain": "s.example.com"}}]
OTHER_FILTERS = {
    "exchange_objections": "([])",
    "subdomain_objections": "",
    "subdomains_first": "",
}
ROLE_VARIABLES = {"server_packages": [], "server_login_packages": [], "verify_timeout": 2, "mx_check_exchanges": False}
DNS = {"server": "127.0.0.1", "port": 9, "timeout": 1, "key_name": "mail-update."}
ROLE_CASES: dict[str, list[dict[str, Any]]] = {
    "verify": [{"split_domains": mapped(RIGHT)}, {"split_domains": WRONG_MAPS[0]}],
    "server": [{"split_domains": WRONG_MAPS[2]}],
    "master": [{"split_domains": WRONG_MAPS[1]}],
    "slave": [{"split_domains": f"u:{W}@h"}],
    "mx": [
        {"split_domains": mapped(RIGHT), "split_domain_dns": {**DNS, "key_secret": B64}},
        {"split_domains": mapped(RIGHT), "split_domain_dns": {**DNS, "key_secert": C}},
        {"split_domains": mapped(RIGHT), "split_domain_dns": f"u:{W}@h"},
        {"split_domains": WRONG_MAPS[0], "split_domain_dns": {**DNS, "key_secret": C}},
    ],
}
ACTIONS = ["recipient_routes"]


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
