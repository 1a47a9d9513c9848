# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the lock that keeps two runs apart: other users cannot take it, and a run that waits says for whom.

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from intruder import names_in

from ansible_collections.mailops.split_domain.plugins.module_utils.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.run_folder import (
    LockHeld,
    locked,
    run_folder,
    scratch_folder,
)

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
STRANGER, OTHER_STRANGER = 54321, 54322
OWN = Path("/", "tmp", f"mailops-split-domain-{STRANGER}")
HOLDING = """
import sys, time
from pathlib import Path
from ansible_collections.mailops.split_domain.plugins.module_utils.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.run_folder import locked
with open_folder(Path(sys.argv[1])) as folder, locked(folder):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def as_user(user: int, work: Callable[[], None]) -> bool:
    """Do something as another user, in a process of its own, and tell whether it went well."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            work()
        except BaseException:  # noqa: BLE001 - the child must never go on with the tests
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@contextmanager
def another_run(folder: Path, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """Give a process that holds the lock of a folder; it has a secret in its arguments."""
    command = [sys.executable, "-c", HOLDING, str(folder), str(seconds), "a-secret"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def lock(folder: Path, patience: float) -> None:
    with open_folder(folder) as opened, locked(opened, patience):
        pass


def test_a_run_that_waits_in_vain_names_the_process_and_none_of_its_arguments(tmp_path: Path) -> None:
    with another_run(tmp_path) as holder:
        begun = time.monotonic()
        with pytest.raises(LockHeld) as caught:
            lock(tmp_path, 0.3)
        assert 0.3 <= time.monotonic() - begun < 5
    said = str(caught.value)
    assert f"process {holder.pid} (python" in said and str(tmp_path) in said and "lock_timeout" in said
    assert "secret" not in said


def test_a_run_goes_on_as_soon_as_the_other_has_ended(tmp_path: Path) -> None:
    with another_run(tmp_path, 0.5):
        lock(tmp_path, 30)


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    with another_run(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        lock(tmp_path, 10)


def test_a_folder_has_one_lock_by_whatever_path_and_another_folder_another(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "link").symlink_to("one")
    with another_run(tmp_path / "one"):
        lock(tmp_path / "two", 0)
        with pytest.raises(LockHeld):
            lock(tmp_path / "two" / ".." / "link", 0)


@pytest.mark.parametrize("patience", [-1.0, float("nan"), float("inf"), 1e9])
def test_a_patience_that_is_no_number_of_seconds_is_refused(tmp_path: Path, patience: float) -> None:
    with pytest.raises(InvalidInput, match="lock_timeout"):
        lock(tmp_path, patience)


@AS_ROOT
def test_no_other_user_keeps_root_waiting(shared: Path) -> None:
    """Whatever others can open they can lock: so they must not be able to open what counts."""
    shared.chmod(0o755)
    with ExitStack() as opened:
        place = opened.enter_context(open_folder(shared))
        with locked(place):
            own = opened.enter_context(run_folder())
            lock_file = own.path / f"{place.identity}.lock"
            assert stat.S_IMODE(own.path.stat().st_mode) == 0o700 and stat.S_IMODE(lock_file.stat().st_mode) == 0o600
        assert not lock_file.exists()

    def take_all() -> None:
        fcntl.flock(os.open(shared, os.O_RDONLY), fcntl.LOCK_EX)
        for path in (own.path, lock_file):
            with pytest.raises(PermissionError):
                os.open(path, os.O_RDONLY)
        time.sleep(2)

    child = os.fork()
    if child == 0:
        os._exit(0 if as_user(STRANGER, take_all) else 1)
    time.sleep(0.5)
    begun = time.monotonic()
    lock(shared, 0)
    assert time.monotonic() - begun < 1
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder that everybody comes to, and no traces of strangers before and after."""
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == 0 and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)

    def clean() -> None:
        if OWN.is_symlink():
            OWN.unlink()
        elif OWN.exists():
            subprocess.run(["rm", "-r", str(OWN)], check=True)

    clean()
    yield tmp_path
    clean()


@AS_ROOT
def test_another_user_than_root_has_a_folder_of_their_own(shared: Path) -> None:
    assert as_user(STRANGER, lambda: lock(shared, 0))
    assert OWN.stat().st_uid == STRANGER and stat.S_IMODE(OWN.stat().st_mode) == 0o700


@AS_ROOT
@pytest.mark.parametrize("planted", ["folder", "link", "open folder of their own"])
def test_a_folder_that_somebody_else_made_for_a_user_is_refused_and_not_waited_for(shared: Path, planted: str) -> None:
    def refused() -> None:
        with pytest.raises(ServerStateError, match=str(OWN)):
            lock(shared, 0)

    if planted == "link":
        OWN.symlink_to(shared)
        assert as_user(STRANGER, refused)
    elif planted == "folder":
        OWN.mkdir()
        os.chown(OWN, OTHER_STRANGER, OTHER_STRANGER)
        assert as_user(STRANGER, refused)
    else:
        OWN.mkdir()
        OWN.chmod(0o777)
        os.chown(OWN, STRANGER, STRANGER)
        assert as_user(STRANGER, lambda: lock(shared, 0))
        assert stat.S_IMODE(OWN.stat().st_mode) == 0o700


def test_what_a_killed_run_tried_out_is_gone_with_the_next(tmp_path: Path) -> None:
    with open_folder(tmp_path) as folder, scratch_folder(folder, "check") as path:
        name = path.name
        (path / "left").mkdir()
        killed = Path(f"{path}.copy")
        path.rename(killed)
    killed.rename(path)
    with open_folder(tmp_path) as folder, scratch_folder(folder, "check") as path:
        assert path.name == name and names_in(path) == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert not path.exists()
