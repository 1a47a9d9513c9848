# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Why a host of the laboratory does not boot: what the machine has used up, and the last lines that the host logged.
"""What to tell of a host that does not boot."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from laboratory.description import LabError
from laboratory.podman import container_name, is_running, podman, run_in

# inotify(7): systemd and its services need some instances in each container, and all of root's count together.
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_NEEDED = 8
LINES = "15"


def why_not_ready(host: str) -> str:
    """Give what is known of a host that does not come up, in a few lines."""
    told = [line for line in (inotify_shortage(), _log_of(host)) if line]
    return "\n".join(told) or f"{host} logged nothing"


def inotify_shortage() -> str:
    """Say that the machine has too few inotify instances left for one more host, where that is so."""
    limit, used = int(INOTIFY_LIMIT.read_text(encoding="ascii")), inotify_instances()
    if limit - used >= INOTIFY_NEEDED:
        return ""
    return (
        f"{used} of {limit} inotify instances of root are in use, and systemd in a container needs some "
        "(fs.inotify.max_user_instances): take other laboratories down (tests/lab/lab.py down), or raise the limit "
        "(sysctl fs.inotify.max_user_instances=1024)"
    )


def inotify_instances() -> int:
    """Count the inotify instances of all processes of root on this machine."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        # Processes end meanwhile, and so do descriptors, that of this very look among them.
        with suppress(OSError):
            if process.stat().st_uid == 0:
                for descriptor in (process / "fd").iterdir():
                    with suppress(OSError):
                        count += str(descriptor.readlink()) == "anon_inode:inotify"
    return count


def _log_of(host: str) -> str:
    """Give the last lines of a host's journal, or of its console where it does not run."""
    try:
        if is_running(host):
            return run_in(host, "journalctl", "--no-pager", "--boot", "--lines", LINES, check=False, timeout=20).out
        said = podman("logs", "--tail", LINES, container_name(host), check=False, timeout=20)
    except LabError as error:
        return str(error)
    return said.out + said.err
