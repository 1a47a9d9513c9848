# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether Postfix has to reload or restart, noted on the server until it is done. Private to this collection.

from __future__ import annotations

import enum
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder, writing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import CommandFailed
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    expanded,
    failure,
    is_running,
    read_text_file,
    run,
)

# postconf(5) says of inet_interfaces and inet_protocols that Postfix must be stopped and started; the master process
# reads the others only when it starts.
_NEED_RESTART = frozenset(
    {"inet_interfaces", "inet_protocols", "data_directory", "mail_owner", "setgid_group", "queue_directory"}
)
_UNIT = re.compile(r"/(postfix[^/\n]*\.service)(?:/|$)", re.MULTILINE)


class Due(enum.IntEnum):
    """What a running Postfix needs to take a change in; the greater includes the smaller."""

    NONE = 0
    RELOAD = 1
    RESTART = 2

    def __str__(self) -> str:
        """Return the word for users: none, reload or restart."""
        return self.name.lower()


def due_for(names: Iterable[str]) -> Due:
    """Return what a change of these parameters of main.cf needs."""
    changed = set(names)
    if changed & _NEED_RESTART:
        return Due.RESTART
    return Due.RELOAD if changed else Due.NONE


def note_path(config_directory: str) -> Path:
    """Return the file that says that a reload or restart is still due."""
    return Path(config_directory) / "main.cf.reload-pending"


def noted_due(config_directory: str) -> Due:
    """Return what an earlier run left due: it was killed, or told not to reload."""
    text = read_text_file(note_path(config_directory))
    if text is None:
        return Due.NONE
    return Due.RESTART if text.strip() == str(Due.RESTART) else Due.RELOAD


def note_due(config_directory: str, due: Due) -> None:
    """Note on the server that ``due`` is due, on top of what is noted already."""
    if due > noted_due(config_directory):
        note = note_path(config_directory)
        with writing(note), open_folder(note.parent) as folder:
            folder.mark(note.name, f"{due}\n", mode=0o644)


def forget_due(config_directory: str) -> None:
    """Remove the note: what was due is done."""
    note = note_path(config_directory)
    with writing(note), open_folder(note.parent) as folder:
        folder.remove_leftovers("main.cf")
        folder.remove(note.name)


def reload_if_due(config_directory: str) -> Due:
    """Do what is noted as due and forget it; return what was done.

    That is nothing where Postfix does not run: it reads everything when it starts. Raises CommandFailed, and keeps the
    note, when the reload or restart fails.
    """
    due = noted_due(config_directory)
    if due is Due.NONE:
        return due
    if not is_running(config_directory):
        forget_due(config_directory)
        return Due.NONE
    if due is Due.RELOAD:
        _postfix("reload", config_directory)
    else:
        _restart(config_directory)
    forget_due(config_directory)
    return due


def _postfix(action: str, config_directory: str) -> None:
    result = run(["postfix", action], config_directory, terminal=True)
    if result.status != 0:
        raise failure(["postfix", action], config_directory, result)


def _restart(config_directory: str) -> None:
    """Stop and start Postfix, through the service manager where that started it and would miss it otherwise."""
    unit = _systemd_unit(config_directory)
    if unit is None:
        _postfix("stop", config_directory)
        _postfix("start", config_directory)
        return
    command = ["systemctl", "restart", unit]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - a fixed command
    if done.returncode != 0:
        said = "; ".join(done.stderr.strip().splitlines()[:5]) or "nothing"
        raise CommandFailed(f"The command '{' '.join(command)}' ended with status {done.returncode} and said: {said}")


def _systemd_unit(config_directory: str) -> str | None:
    """Return the systemd service whose process the instance's master is; None when it is none."""
    if not Path("/run/systemd/system").is_dir():
        return None
    queue_directory = expanded(config_directory, ["queue_directory"])["queue_directory"]
    try:
        process = int((Path(queue_directory) / "pid" / "master.pid").read_text(encoding="ascii").split()[0])
        groups = Path(f"/proc/{process}/cgroup").read_text(encoding="utf-8")
    except (OSError, ValueError, IndexError):
        return None
    found = _UNIT.search(groups)
    return found.group(1) if found else None
