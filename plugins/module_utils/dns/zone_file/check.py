# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# BIND's look at the text of a zone, before it becomes a file: named-checkzone within bounds. Private.
#
# It runs as this user, often root, and the folder of a zone file may be a stranger's. So it sees nothing but copies of
# the texts that were read before, in a folder that nobody else has a way into.

from __future__ import annotations

import os
import re
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import Folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import scratch_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneCheckFailed
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.lines import cut, directive_of

# Where the commands of name servers live: often not in the PATH of a remote shell without login.
COMMAND_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CHECKER = "named-checkzone"
_COMPLAINTS = 3
_LONGEST_COMPLAINT = 120
# Bounds of the check: seconds, octets that are kept of what it says, and octets of memory, of which a zone of the
# largest size that is read takes a tenth.
_LONGEST_CHECK = 300
_MOST_SAID = 1 << 16
_MOST_MEMORY = 2 << 30
_BOUNDS = (
    (resource.RLIMIT_CPU, _LONGEST_CHECK),
    (resource.RLIMIT_AS, _MOST_MEMORY),
    (resource.RLIMIT_CORE, 0),
)
_COPY = "zone-file-"
_COPY_SAID = re.compile(r"zone-file-([0-9]{1,4})")
_STATUS = Path("/proc/self/status")
# capabilities(7): CAP_SYS_CHROOT, as a bit.
_MAY_CHANGE_ROOT = 1 << 18


def check_zone(folder: Folder, path: Path, zone: str, text: str, included: Callable[[str], str]) -> None:
    """Let named-checkzone look at a text for the zone file at ``path`` in ``folder``, whose lock is held.

    ``included`` gives the text of each file that is included. Raises ZoneCheckFailed, with what named-checkzone said
    first.
    """
    with scratch_folder(folder, "zone") as scratch:
        names = _write_copies(scratch, str(path), text, included)
        try:
            status, said = _checked(scratch, zone)
        except subprocess.TimeoutExpired as error:
            raise ZoneCheckFailed(
                f"the zone file {path} is not changed, because {_CHECKER} was not done with it after "
                f"{_LONGEST_CHECK} s: see what it includes and generates"
            ) from error
        except OSError as error:
            raise ZoneCheckFailed(
                f"the zone file {path} is not changed, because {_CHECKER} cannot check it first "
                f"({error.strerror}): install it on the host that runs the module (Debian: bind9-utils; Red Hat: bind)"
            ) from error
    if status < 0:
        # What it says then is of its own insides.
        raise ZoneCheckFailed(
            f"the zone file {path} is not changed, because {_CHECKER} was ended by the signal "
            f"{-status} while it checked it: run {_CHECKER} by hand, and correct the zone file"
        )
    if status != 0:
        lines = [_as_known(line.strip(), names)[:_LONGEST_COMPLAINT] for line in said.splitlines() if line.strip()]
        raise ZoneCheckFailed(
            f"the zone file {path} is not changed, because {_CHECKER} does not take it with the new MX sets "
            f"and said: {'; '.join(lines[:_COMPLAINTS]) or 'nothing'}: correct the zone file or the sets"
        )


def environment() -> dict[str, str]:
    """Give the environment for the commands of a name server."""
    return {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:{COMMAND_PATH}"}


def _write_copies(scratch: Path, name: str, text: str, included: Callable[[str], str]) -> list[str]:
    """Write a zone file and all that it includes, which then include each other, and give their names by number."""
    names = [name]
    numbers: dict[str, int] = {}

    def copy_of(other: str) -> str:
        if other not in numbers:
            numbers[other] = len(names)
            names.append(other)
        return f"{_COPY}{numbers[other]}"

    number = 0
    while number < len(names):
        copied = text if number == 0 else included(names[number])
        copied = _renamed(copied, names[number], copy_of)
        (scratch / f"{_COPY}{number}").write_bytes(copied.encode("utf-8", "surrogateescape"))
        number += 1
    return names


def _renamed(text: str, name: str, copy_of: Callable[[str], str]) -> str:
    """Give a text that includes copies, line by line as it was."""
    if "$include" not in text.lower():
        return text
    pieces = []
    end = 0
    for line, head in cut(text, name):
        if directive_of(line, head[0]) == "$INCLUDE" and len(head) > 1:
            pieces += [text[end : head[1].start], copy_of(head[1].bare)]
            end = head[1].end
    return "".join([*pieces, text[end:]])


def _as_known(said: str, names: list[str]) -> str:
    """Give a line of named-checkzone with the names of the files instead of those of their copies."""

    def name(copy: re.Match[str]) -> str:
        number = int(copy[1])
        return names[number] if number < len(names) else copy[0]

    return _COPY_SAID.sub(name, said)


def _checked(scratch: Path, zone: str) -> tuple[int, str]:
    """Run named-checkzone, and give its status and the beginning of what it says."""
    # Without a look at other zones, which would be questions to other servers; and where that can be, with no other
    # file in its reach than the copies.
    confined = ["-t", str(scratch)] if _may_change_root() else []
    command = [_CHECKER, *confined, "-i", "local", zone, f"{_COPY}0"]
    until = time.monotonic() + _LONGEST_CHECK
    process = subprocess.Popen(  # noqa: S603 - a fixed command, and no shell is involved
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=scratch,
        env=environment(),
        start_new_session=True,
    )
    with process:
        try:
            _bound(process.pid)
            said = _first_octets(process.stdout, until)
            return process.wait(max(0.0, until - time.monotonic())), said.decode("utf-8", "replace")
        except BaseException:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _bound(number: int) -> None:
    """Bound what a process that has just been started may use; one that has ended already needs none."""
    with suppress(ProcessLookupError):
        for which, most in _BOUNDS:
            _soft, hard = resource.prlimit(number, which)
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(number, which, (limit, limit))


def _first_octets(stream: IO[bytes] | None, until: float) -> bytes:
    """Read all that a process says, and keep the beginning."""
    said = b""
    with selectors.DefaultSelector() as selector:
        if stream is not None:
            selector.register(stream, selectors.EVENT_READ)
        while stream is not None:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise subprocess.TimeoutExpired(_CHECKER, _LONGEST_CHECK)
            octets = os.read(stream.fileno(), _MOST_SAID)
            if not octets:
                break
            said = (said + octets)[:_MOST_SAID]
    return said


def _may_change_root() -> bool:
    try:
        status = _STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    held = re.search(r"^CapEff:\s*([0-9a-f]{1,16})$", status, re.MULTILINE)
    return held is not None and bool(int(held[1], 16) & _MAY_CHANGE_ROOT)
