# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of Postfix's files where other users have a say: nothing of theirs is followed, waited for or left behind.

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from intruder import NOBODY, names_in, plant_link, state_of
from postfix_instance import Instance

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import locked, run_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.verify_cache import (
    ForgetVerdicts,
    VerifyCache,
)

KILLED_MODULE = Path(__file__).with_name("killed_module.py")
# Its group and one more user may read (posix_acl_xattr.h).
ACL = bytes.fromhex("02000000 01000600ffffffff 02000400d2040000 04000400ffffffff 10000400ffffffff 20000000ffffffff")


@pytest.fixture
def theirs(instance: Instance) -> Path:
    """A folder of nobody's."""
    folder = instance.directory / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


@pytest.fixture
def outside(instance: Instance) -> Path:
    """A file of root that a table's text could be."""
    (instance.directory / "outside").mkdir()
    path = instance.directory / "outside" / "secret"
    path.write_text("x y\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("planted", ["table.updating", "table.lmdb", ".table.new-1", None])
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_a_table_in_a_folder_of_somebody_else_is_refused(
    instance: Instance, theirs: Path, outside: Path, planted: str | None, check: bool
) -> None:
    if planted is not None:
        plant_link(theirs / planted, outside.parent / "planted")
    before = state_of(outside), names_in(outside.parent), names_in(theirs)
    result = instance.map(path=str(theirs / "table"), entries={"a": "b"}, check=check)
    assert result["failed"] and f"the user nobody can write in the folder {theirs}" in result["msg"]
    assert (state_of(outside), names_in(outside.parent), names_in(theirs)) == before


@pytest.mark.parametrize("target", ["secret", "new"])
@pytest.mark.parametrize("state", ["present", "removed"])
def test_a_link_of_somebody_else_is_no_table(
    instance: Instance, theirs: Path, outside: Path, target: str, state: str
) -> None:
    plant_link(theirs / "table", outside.parent / target)
    before = state_of(outside), names_in(outside.parent)
    result = instance.map(path=str(theirs / "table"), state=state, entries={"a": "b"} if state == "present" else None)
    assert result["failed"] and f"{theirs / 'table'} is a symbolic link and is not followed" in result["msg"]
    assert (state_of(outside), names_in(outside.parent)) == before


def test_a_text_that_somebody_else_links_to_is_not_read(instance: Instance, theirs: Path, outside: Path) -> None:
    plant_link(theirs / "src", outside)
    result = instance.map(path=str(instance.config / "table"), src=str(theirs / "src"))
    assert result["failed"] and "is a symbolic link" in result["msg"]
    assert not (instance.config / "table").exists()


@pytest.mark.parametrize("mode", [0o775, 0o777])
def test_tables_are_refused_in_a_configuration_that_others_can_write(instance: Instance, mode: int) -> None:
    instance.config.chmod(mode)
    result = instance.map(path=str(instance.config / "table"), entries={"a": "b"})
    assert result["failed"] and f"can write in the folder {instance.config}" in result["msg"]


def test_links_of_root_to_folders_of_root_are_followed_and_stay(instance: Instance, outside: Path) -> None:
    data = outside.parent
    instance.main_cf.rename(data / "main.cf")
    instance.main_cf.symlink_to(data / "main.cf")
    (instance.config / "table").symlink_to(data / "secret")
    assert instance.parameters(parameters={"myhostname": "linked.example.com"})["changed"]
    assert "linked.example.com" in (data / "main.cf").read_text() and instance.main_cf.is_symlink()
    result = instance.map(path=str(instance.config / "table"), entries={"a": "b"})
    assert (data / "secret").read_text() == "x y\na b\n" and (instance.config / "table").is_symlink()
    assert instance.lookup(result["table"], "a") == "b"
    assert names_in(data) == ["main.cf", "secret"]
    assert stat.S_IMODE((instance.config / "table.lmdb").stat().st_mode) == 0o600


def test_main_cf_and_tables_keep_their_access_control_lists(instance: Instance) -> None:
    table = instance.config / "table"
    table.write_text("a b\n")
    for path in (table, instance.main_cf):
        path.chmod(0o640)
        os.setxattr(path, "system.posix_acl_access", ACL)
    os.setxattr(instance.main_cf, "user.note", b"mine")
    before = state_of(instance.main_cf)
    instance.parameters(parameters={"myhostname": "other.example.com"})
    instance.map(path=str(table), entries={"c": "d"})
    after = state_of(instance.main_cf)
    assert after[1:4] == before[1:4] and after[5] == before[5]
    for path in (table, table.with_name("table.lmdb")):
        assert os.getxattr(path, "system.posix_acl_access") == ACL and stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_a_lock_of_somebody_else_on_the_configuration_keeps_nobody_waiting(instance: Instance, check: bool) -> None:
    taken = os.fork()
    if taken == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        fcntl.flock(os.open(instance.config, os.O_RDONLY), fcntl.LOCK_EX)
        time.sleep(60)
        os._exit(0)
    try:
        result = instance.parameters(parameters={"myhostname": "free.example.com"}, lock_timeout=0, check=check)
        assert result["changed"] and not result.get("failed")
    finally:
        os.kill(taken, signal.SIGKILL)
        os.waitpid(taken, 0)


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
@pytest.mark.parametrize("module", ["postfix_parameters", "postfix_map", "split_domains", "recipient_routes"])
def test_a_run_that_waits_in_vain_says_for_which_process(instance: Instance, module: str, check: bool) -> None:
    arguments = {
        "postfix_parameters": {"parameters": {"myhostname": "late.example.com"}},
        "postfix_map": {"path": str(instance.config / "table"), "entries": {"a": "b"}},
        "split_domains": {"domains": [{"domain": "example.net", "state": "absent"}]},
        "recipient_routes": {"domain": "example.net", "state": "exact", "routes": []},
    }[module]
    before = instance.files()
    with open_folder(instance.config) as folder, locked(folder):
        result = instance.run(module, lock_timeout=0.1, check=check, **arguments)
    assert result["failed"] and f"process {os.getpid()} (" in result["msg"] and "lock_timeout" in result["msg"]
    assert instance.files() == before


def leftovers(instance: Instance) -> list[str]:
    """Give what is left of runs on an instance outside of it."""
    with open_folder(instance.config) as folder, run_folder() as own:
        return [name for name in names_in(own.path) if name.startswith(folder.identity)]


def killed(instance: Instance, step: int, module: str, **arguments: object) -> bool:
    source = instance.directory / "arguments.json"
    source.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "config_directory": str(instance.config)}}))
    command = [sys.executable, str(KILLED_MODULE), module, str(step), str(instance.config), str(source)]
    return subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL


def test_nothing_of_a_run_that_was_killed_while_postfix_checked_is_left_after_the_next(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    change = {"parameters": {"myhostname": "killed.example.com"}}
    left = []
    for step in range(1, 12):
        assert killed(instance, step, "postfix_parameters", **change)
        left = leftovers(instance)
        if any(name.endswith(".check") for name in left):
            break
    assert any(name.endswith(".check") for name in left)
    assert instance.parameters(**change)["changed"]
    assert leftovers(instance) == []
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("planted", ["FIFO", "link", "directory", "nothing"])
def test_a_verify_cache_that_is_no_file_is_neither_waited_for_nor_followed(
    instance: Instance, outside: Path, planted: str
) -> None:
    """Postfix's own user can write where the cache is."""
    cache = instance.directory / "data" / "verify_cache"
    index = cache.with_name("verify_cache.db")
    if planted == "FIFO":
        os.mkfifo(index)
    elif planted == "link":
        plant_link(index, outside)
    elif planted == "directory":
        index.mkdir()
    told: list[bool] = []
    asking = threading.Thread(
        target=lambda: told.append(VerifyCache(f"btree:{cache}").may_tell_of("example.com")), daemon=True
    )
    asking.start()
    asking.join(10)
    assert told == [planted != "nothing"]
    before = state_of(outside)
    forgetting = ForgetVerdicts(str(instance.config), instance.directory, VerifyCache(f"btree:{cache}"))
    if planted == "directory":
        with pytest.raises(Exception, match="cannot be written"):
            forgetting.apply()
    else:
        forgetting.apply()
        assert not os.path.lexists(index)
    assert state_of(outside) == before
