# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The folder in which runs of this collection keep locks, and files that are to be tried out. Private.
#
# Nobody else has a way into it: whoever can open a file can lock it, and whoever can write beside a file can swap it.

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import Folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.trusted_paths import user_name

# Seconds that a run waits for another one; what modules have by default.
PATIENCE = 30.0
_LONGEST_PATIENCE = 86_400.0
_PAUSE = 0.05
_NAME = "mailops-split-domain"
_PLACES_OF_ROOT = (Path("/run"), Path("/var/run"))
# In the home folder of a user other than root; where there is none, the variable names a folder.
_PLACE_OF_OTHERS = ".cache"
_RUNTIME = "XDG_RUNTIME_DIR"
_LOCK = "lock"
_PROCESSES = Path("/proc")
_LONGEST_NUMBER = 20


class LockHeld(ServerStateError):
    """Another run went on for longer than this one could wait."""


@contextmanager
def run_folder() -> Iterator[Folder]:
    """Give the folder; a user other than root has one of their own."""
    if os.geteuid() == 0:
        place = next((place for place in _PLACES_OF_ROOT if place.is_dir()), _PLACES_OF_ROOT[0])
    else:
        place = place_of_user(_home(), os.environ.get(_RUNTIME))
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(opened.enter_context(open_folder(place)).private_folder(_NAME))
        except OSError as error:
            raise _unusable(place / _NAME, error) from error
        yield folder


def place_of_user(home: Path | None, runtime: str | None) -> Path:
    """Give the folder of a user other than root in which theirs is, one in which no other user can make it first.

    That of the home comes first: it is the same with and without a session, and two runs have to meet in it. Raises
    ServerStateError where there is none.
    """
    places = [Path(runtime)] if runtime and runtime.startswith("/") else []
    if home is not None:
        places.insert(0, home / _PLACE_OF_OTHERS)
        with suppress(OSError):
            places[0].mkdir(mode=0o700)
    for place in places:
        with suppress(OSError, ServerStateError), open_folder(place) as folder:
            found = folder.status(".")
            if found is not None and found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH:
                return place
    tried = ", ".join(map(str, places)) or f"no home folder, and no {_RUNTIME}"
    raise ServerStateError(
        f"The user {user_name(os.geteuid())} has no folder of their own in which runs of this collection can keep "
        f"their locks ({tried}): give the user a home folder, or set {_RUNTIME} to a folder that belongs to them."
    )


@contextmanager
def locked(folder: Folder, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other runs of this collection by this user from changing files in a folder at the same time.

    The lock goes with the process that holds it. Raises LockHeld, and names who holds it, after ``patience`` seconds.
    """
    if not 0 <= patience <= _LONGEST_PATIENCE:
        raise InvalidInput(f"The option lock_timeout is {patience}: give a number of seconds from 0 to a day's 86400.")
    until = time.monotonic() + patience
    with run_folder() as own:
        name = f"{folder.identity}.{_LOCK}"
        while True:
            with own.own_file(name) as descriptor:
                if not _taken(descriptor):
                    if time.monotonic() >= until:
                        raise LockHeld(
                            f"{folder.path} is being changed by another run of this collection, {_holder(descriptor)}, "
                            f"which did not end within {patience:g} seconds: wait for its end and run again, or give "
                            "the task a longer lock_timeout"
                        )
                elif os.fstat(descriptor).st_nlink:
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    _remove_leftovers(own, folder.identity)
                    try:
                        yield
                    finally:
                        # Whoever has it open by now finds it without a name, and looks again.
                        own.remove(name)
                    return
            time.sleep(_PAUSE)


@contextmanager
def scratch_folder(folder: Folder, purpose: str) -> Iterator[Path]:
    """Give an empty folder to try something out for ``folder``, whose lock is held.

    It is removed at the end, or, after a kill, by whoever takes a lock next.
    """
    with run_folder() as own:
        path = own.path / f"{folder.identity}.{purpose}"
        shutil.rmtree(path, ignore_errors=True)
        try:
            path.mkdir(mode=0o700)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _remove_leftovers(own: Folder, identity: str) -> None:
    """Remove what killed runs tried out, which may hold passwords: for this folder, whose lock is held, and others."""
    with suppress(OSError, ServerStateError):
        left = [name for name in own.names() if name.partition(".")[2] != _LOCK]
        for other in {name.partition(".")[0] for name in left}:
            of_it = [own.path / name for name in left if name.partition(".")[0] == other]
            if other == identity:
                _remove_all(of_it)
                continue
            name = f"{other}.{_LOCK}"
            with own.own_file(name) as descriptor:
                # Who has it goes on with what is there, and ends by removing it.
                if _taken(descriptor) and os.fstat(descriptor).st_nlink:
                    _remove_all(of_it)
                    own.remove(name)


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def _home() -> Path | None:
    """Give the home folder of this user by the password database; the environment may be that of somebody else."""
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        return None


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    """Name the process that wrote its number into the lock, and no more of it: a command line may hold secrets."""
    number = os.pread(descriptor, _LONGEST_NUMBER, 0).decode("ascii", "replace").strip()
    if not (number.isascii() and number.isdigit()):
        return "a process that is just beginning"
    name = ""
    with suppress(OSError):
        name = (_PROCESSES / number / "comm").read_text(encoding="utf-8", errors="replace").strip()
    told = "".join(character for character in name if character.isprintable())
    return f"process {number} ({told})" if told else f"process {number}"


def _unusable(path: Path, error: OSError) -> ServerStateError:
    return ServerStateError(
        f"The folder {path}, in which runs of this collection keep their locks, cannot be made or opened: "
        f"{error.strerror}; see what stands there, and that this user may write beside it."
    )
