# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what lookups see while a table changes, and of what is left after a kill at every step of a run.

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from postfix_instance import Instance

KILLED_MODULE = Path(__file__).with_name("killed_module.py")
MOST_STEPS = 60
STAYING = "stays@example.com"


@pytest.fixture
def path(instance: Instance) -> Path:
    return instance.config / "table"


def killed_run(instance: Instance, module: str, step: int, **arguments: Any) -> bool:
    """Run a module and kill it before its given step; return False when it came to its end first."""
    source = instance.directory / "arguments.json"
    arguments.update(config_directory=str(instance.config), _ansible_diff=True)
    source.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    # What a killed run leaves among the temporary files goes with the instance.
    environment = {**os.environ, "TMPDIR": str(instance.directory)}
    done = subprocess.run(
        [sys.executable, str(KILLED_MODULE), module, str(step), str(instance.config), str(source)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
    return done.returncode != 0


def table_of(version: int, size: int = 400) -> str:
    """Return a text whose entries say which version it is, but for one that never changes."""
    lines = [f"user{number}@example.com version-{version}\n" for number in range(size)]
    return "".join([*lines[: size // 2], f"{STAYING} yes\n", *lines[size // 2 :]])


def changed_in_one_line(text: str) -> str:
    """Return the text with one entry changed and one gone."""
    text = text.replace("user3@example.com version-1", "user3@example.com version-2")
    return text.replace("user9@example.com version-1\n", "")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("lmdb", "every entry"),
        ("lmdb", "one entry"),
        ("lmdb", "new table"),
        ("hash", "every entry"),
        ("hash", "new table"),
        ("texthash", "every entry"),
    ],
)
def test_killed_change_of_a_table_is_finished_by_the_next_run(
    instance: Instance, path: Path, kind: str, change: str
) -> None:
    old = table_of(1)
    new = changed_in_one_line(old) if change == "one entry" else table_of(2)
    table = f"{kind}:{path}"
    clean = None
    for step in range(1, MOST_STEPS):
        if change == "new table":
            instance.map(path=str(path), state="removed", type=kind)
        else:
            instance.map(path=str(path), type=kind, content=old)
        killed = killed_run(instance, "postfix_map", step, path=str(path), type=kind, content=new)
        if change != "new table":
            assert instance.lookup(table, STAYING) == "yes", f"killed at step {step}"
            assert instance.lookup(table, "user3@example.com") in ("version-1", "version-2"), f"killed at step {step}"
        finished = instance.map(path=str(path), type=kind, content=new)
        assert instance.lookup(table, STAYING) == "yes"
        assert instance.lookup(table, "user3@example.com") == "version-2", f"killed at step {step}"
        if change == "one entry":
            assert instance.lookup(table, "user9@example.com") is None, f"killed at step {step}"
        clean = clean or set(instance.files())
        assert set(instance.files()) == clean, f"killed at step {step}"
        if not killed:
            assert not finished["changed"]
            assert step > 3
            return
    pytest.fail(f"the run had more than {MOST_STEPS} steps")


def test_killed_change_of_main_cf_is_finished_and_reloaded_by_the_next_run(instance: Instance) -> None:
    instance.map(path=str(instance.config / "mailboxes"), entries={"alice@example.com": "alice"})
    instance.start()
    clean = set(instance.files())
    for step in range(1, MOST_STEPS):
        banner = {"smtpd_banner": f"step {step}"}
        reloads = instance.logged("reload -- version")
        killed = killed_run(instance, "postfix_parameters", step, parameters=banner)
        # What is there is a whole main.cf, with or without the change.
        assert instance.command("postconf", "-h", "virtual_mailbox_domains").stdout == "example.com\n"
        instance.parameters(parameters=banner)
        assert instance.command("postconf", "-h", "smtpd_banner").stdout == f"step {step}\n"
        assert instance.logged("reload -- version") > reloads, f"killed at step {step}"
        assert set(instance.files()) == clean, f"killed at step {step}"
        if not killed:
            return
    pytest.fail(f"the run had more than {MOST_STEPS} steps")


class Readers:
    """Lookups that go on in the background and note every wrong answer."""

    def __init__(self, instance: Instance, table: str, expected: dict[str, set[str]]) -> None:
        """Look up each key of ``expected`` again and again; its set has the answers that are right."""
        self.wrong: list[str] = []
        self.lookups = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(instance, table, key, right)) for key, right in expected.items()
        ]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _look(self, instance: Instance, table: str, key: str, right: set[str]) -> None:
        while not self._stop.is_set():
            result = instance.command("postmap", "-q", key, table)
            self.lookups += 1
            # A warning that a text is newer than its index is true for a moment, and harms nobody.
            fatal = "fatal" in result.stderr
            if fatal or result.stdout.rstrip("\n") not in right:
                self.wrong.append(f"{key}: {result}")


@pytest.mark.parametrize("kind", ["lmdb", "hash"])
def test_readers_never_miss_a_key_that_is_in_both_versions(instance: Instance, path: Path, kind: str) -> None:
    instance.map(path=str(path), type=kind, content=table_of(1, 20_000))
    versions = {f"version-{number}" for number in range(10)}
    expected = {STAYING: {"yes"}, "user0@example.com": versions, "user19999@example.com": versions}
    with Readers(instance, f"{kind}:{path}", expected) as readers:
        for number in range(2, 10):
            instance.map(path=str(path), type=kind, content=table_of(number, 20_000))
    assert not readers.wrong
    assert readers.lookups > 100


def test_readers_never_miss_a_key_while_single_entries_change(instance: Instance, path: Path) -> None:
    text = table_of(1, 20_000)
    instance.map(path=str(path), type="lmdb", content=text)
    expected = {STAYING: {"yes"}, "user3@example.com": {"version-1", "version-2"}, "user0@example.com": {"version-1"}}
    with Readers(instance, f"lmdb:{path}", expected) as readers:
        for number in range(10):
            instance.map(path=str(path), type="lmdb", content=text if number % 2 else changed_in_one_line(text))
    assert not readers.wrong
    assert readers.lookups > 100


def test_rebuild_killed_in_the_midst_of_postmap_leaves_a_whole_index(instance: Instance, path: Path) -> None:
    size = 100_000
    source = instance.directory / "source"
    source.write_text(table_of(1, size))
    arguments = instance.directory / "arguments.json"
    arguments.write_text(
        json.dumps(
            {
                "ANSIBLE_MODULE_ARGS": {
                    "path": str(path),
                    "type": "lmdb",
                    "src": str(source),
                    "config_directory": str(instance.config),
                }
            }
        )
    )
    instance.map(path=str(path), type="lmdb", src=str(source))
    for attempt in range(6):
        source.write_text(table_of(attempt + 2, size))
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible_collections.mailops.split_domain.plugins.modules.postfix_map", arguments],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        marker = Path(f"{path}.updating")
        while not marker.exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(0.03 * attempt)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert instance.lookup(f"lmdb:{path}", STAYING) == "yes"
        found = {instance.lookup(f"lmdb:{path}", f"user{number}@example.com") for number in (0, size // 2, size - 1)}
        assert len(found) == 1, f"the index mixes two versions: {found}"
        instance.map(path=str(path), type="lmdb", src=str(source))
        assert instance.lookup(f"lmdb:{path}", f"user{size - 1}@example.com") == f"version-{attempt + 2}"


def test_two_runs_at_once_both_take_effect(instance: Instance, path: Path) -> None:
    results: list[dict[str, Any]] = []
    runs = [
        threading.Thread(target=lambda key=key: results.append(instance.map(path=str(path), entries={key: "1"})))
        for key in ("a@x", "b@x", "c@x", "d@x")
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [result["changed"] for result in results] == [True] * 4
    assert [instance.lookup(f"lmdb:{path}", f"{name}@x") for name in "abcd"] == ["1"] * 4
