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

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import (
    LockHeld,
    locked,
    place_of_user,
    run_folder,
    scratch_folder,
)

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
STRANGER, OTHER_STRANGER = 54321, 54322
FORMER = Path("/", "tmp", f"mailops-split-domain-{STRANGER}")
HOLDING = """
import sys, time
from pathlib import Path
from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import locked
with open_folder(Path(sys.argv[1])) as folder, locked(folder):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def as_user(user: int, work: Callable[[], None], runtime: Path | None = None) -> bool:
    """Do something as another user, in a process of its own, and tell whether it went well.

    The user is one without a home folder; ``runtime`` is their XDG_RUNTIME_DIR.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.environ.pop("XDG_RUNTIME_DIR", None)
            if runtime is not None:
                os.environ["XDG_RUNTIME_DIR"] = str(runtime)
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
def shared(tmp_path: Path) -> Path:
    """A folder that everybody comes to."""
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == 0 and above != Path("/"):
            above.chmod(above.stat().st_mode | 0o011)
    return tmp_path


def folder_of(user: int, path: Path, mode: int = 0o700) -> Path:
    path.mkdir()
    path.chmod(mode)
    os.chown(path, user, user)
    return path


@AS_ROOT
def test_another_user_than_root_has_a_folder_of_their_own(shared: Path) -> None:
    runtime = folder_of(STRANGER, shared / "runtime")
    assert as_user(STRANGER, lambda: lock(shared, 0), runtime)
    own = runtime / "mailops-split-domain"
    assert own.stat().st_uid == STRANGER and stat.S_IMODE(own.stat().st_mode) == 0o700


@AS_ROOT
def test_nobody_can_make_the_folder_of_another_user_first(shared: Path) -> None:
    runtime = folder_of(STRANGER, shared / "runtime")
    assert as_user(OTHER_STRANGER, FORMER.mkdir)
    try:
        assert as_user(STRANGER, lambda: lock(shared, 0), runtime)
    finally:
        FORMER.rmdir()


@AS_ROOT
def test_the_home_folder_counts_before_that_of_a_session_and_keeps_its_rights(shared: Path) -> None:
    home, runtime = folder_of(STRANGER, shared / "home", 0o755), folder_of(STRANGER, shared / "runtime")

    def found() -> None:
        assert place_of_user(home, str(runtime)) == home / ".cache"
        assert stat.S_IMODE((home / ".cache").stat().st_mode) == 0o700
        (home / ".cache").chmod(0o755)
        assert place_of_user(home, None) == home / ".cache"
        assert stat.S_IMODE((home / ".cache").stat().st_mode) == 0o755
        assert place_of_user(shared / "nowhere", str(runtime)) == runtime

    assert as_user(STRANGER, found)


@AS_ROOT
@pytest.mark.parametrize(("owner", "mode"), [(OTHER_STRANGER, 0o755), (0, 0o1777), (STRANGER, 0o777)])
def test_a_folder_in_which_others_have_a_say_is_not_taken(shared: Path, owner: int, mode: int) -> None:
    runtime = folder_of(owner, shared / "runtime", mode)

    def refused() -> None:
        for place in (str(runtime), "runtime", None):
            with pytest.raises(ServerStateError, match="no folder of their own .*set XDG_RUNTIME_DIR"):
                place_of_user(None, place)
        with pytest.raises(ServerStateError, match="no folder of their own"):
            lock(shared, 0)

    assert as_user(STRANGER, refused, runtime)


@AS_ROOT
def test_a_folder_that_somebody_else_made_for_a_user_is_refused_and_not_waited_for(shared: Path) -> None:
    runtime = folder_of(STRANGER, shared / "runtime")

    def refused() -> None:
        with pytest.raises(ServerStateError, match=str(runtime)):
            lock(shared, 0)

    own = folder_of(OTHER_STRANGER, runtime / "mailops-split-domain")
    assert as_user(STRANGER, refused, runtime)
    own.rmdir()
    own.symlink_to(shared)
    assert as_user(STRANGER, refused, runtime)
    own.unlink()
    folder_of(STRANGER, own, 0o777)
    assert as_user(STRANGER, lambda: lock(shared, 0), runtime)
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


def left_over(folder: Path) -> Path:
    """Leave a copy that a run for this folder made, and that it could not remove."""
    with open_folder(folder) as opened, run_folder() as own:
        path = own.path / f"{opened.identity}.check"
    (path / "config").mkdir(parents=True)
    (path / "config" / "main.cf").write_text("a password")
    return path


def test_whoever_gets_a_lock_removes_what_killed_runs_left_for_this_folder_and_others(tmp_path: Path) -> None:
    for name in ("one", "two", "held"):
        (tmp_path / name).mkdir()
    with another_run(tmp_path / "held"):
        left = [left_over(tmp_path / name) for name in ("one", "two", "held")]
        lock(tmp_path / "one", 0)
        assert [path.exists() for path in left] == [False, False, True]
        assert not left[1].with_suffix(".lock").exists()
    lock(tmp_path / "one", 0)
    assert not left[2].exists()


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
