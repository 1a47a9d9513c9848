# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Podman with the laboratory's own settings, and the names that this checkout's laboratory has there.
"""Podman as the laboratory uses it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from laboratory.description import LAB_FOLDER, LabError

CHECKOUT = LAB_FOLDER.parents[1]
# One checkout may have several laboratories side by side: each has a name, which is that of its folder below .build.
INSTANCE = os.environ.get("SPLIT_DOMAIN_LAB") or "lab"
STATE_FOLDER = CHECKOUT / ".build" / INSTANCE
CONTAINERS_CONF = LAB_FOLDER / "containers.conf"

# The laboratories of two checkouts stand side by side on one machine, too: every name carries the folder's mark.
LAB_NAME = "split-domain-" + hashlib.sha256(str(STATE_FOLDER).encode()).hexdigest()[:8]

# The first process of each host, with the namespace by which it is told from a later one of the same number.
_PROCESSES: dict[str, tuple[str, str]] = {}
NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
ENVIRONMENT_INSIDE = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "TERM": "dumb",
    "container": "podman",
}

PROGRAMS = {
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "/usr/lib/podman/netavark": "netavark",
    "ssh-keygen": "openssh-client",
}


@dataclass(frozen=True)
class Answer:
    """What a command left: exit code and decoded streams."""

    code: int
    out: str
    err: str


def check_machine() -> None:
    """Raise ``LabError`` where this machine lacks something that the laboratory needs."""
    if os.geteuid() != 0:
        raise LabError("the laboratory needs root for its containers and images: run it as root")
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        listed = LAB_FOLDER.relative_to(CHECKOUT) / "requirements-apt.txt"
        raise LabError(
            f"missing on this machine: {', '.join(missing)}; install what {listed} lists "
            f"(xargs -a {listed} apt-get install --no-install-recommends --yes)"
        )


def environment() -> dict[str, str]:
    """Give the process environment in which podman uses the laboratory's settings."""
    return {**os.environ, "CONTAINERS_CONF": str(CONTAINERS_CONF)}


def podman(*arguments: str, data: bytes | None = None, check: bool = True, timeout: float = 600) -> Answer:
    """Run one podman command, ``data`` on its standard input.

    ``LabError`` with the command and what it said when it fails and ``check`` is true. ``timeout`` is in seconds.
    """
    answer = _run(["podman", *arguments], environment(), data, timeout)
    return _checked(answer, f"podman {' '.join(arguments)[:200]}") if check else answer


def container_name(host: str) -> str:
    """Give the name of the container of the host with that inventory name."""
    return f"{LAB_NAME}-{host}"


def run_in(host: str, *command: str, data: bytes | None = None, check: bool = True, timeout: float = 600) -> Answer:
    """Run a command as root inside a host of the laboratory.

    It enters the host's namespaces itself (nsenter(1)): that takes milliseconds, and ``podman exec`` half a second.
    """
    enter = ["nsenter", f"--target={first_process(host)}", *NAMESPACES, "--root", "--wd=/", "--"]
    answer = _run([*enter, *command], ENVIRONMENT_INSIDE, data, timeout)
    return _checked(answer, f"{' '.join(command)[:200]} in {host}") if check else answer


def first_process(host: str) -> str:
    """Give the number of the first process of a host, which must run."""
    process, namespace = _PROCESSES.get(host, ("", ""))
    if not namespace or _namespace_of(process) != namespace:
        process = podman("inspect", "--format", "{{.State.Pid}}", container_name(host)).out.strip()
        namespace = _namespace_of(process)
        # A command that is meant for a host never runs on this machine instead.
        if namespace in ("", _namespace_of("self")):
            raise LabError(f"{host} does not run: bring the laboratory up (tests/lab/lab.py up)")
        _PROCESSES[host] = process, namespace
    return process


def is_running(host: str) -> bool:
    """Tell whether a host runs; what podman knows of all of them takes it a second."""
    try:
        return bool(first_process(host))
    except LabError:
        return False


def _namespace_of(process: str) -> str:
    try:
        return str(Path(f"/proc/{process}/ns/pid").readlink())
    except OSError:
        return ""


def _run(command: list[str], variables: dict[str, str], data: bytes | None, timeout: float) -> Answer:
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are the laboratory's own
            command, input=data or b"", capture_output=True, check=False, env=variables, timeout=timeout
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command)[:300]} did not end within {timeout:g} seconds") from error
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _checked(answer: Answer, words: str) -> Answer:
    if answer.code != 0:
        said = (answer.err or answer.out).strip()[-600:]
        raise LabError(f"{words} failed with exit code {answer.code}: {said}")
    return answer


def write_wrapper(folder: Path) -> Path:
    """Write the small program that Ansible and people call as podman with the laboratory's settings; give its path."""
    path = folder / "podman"
    text = f'#!/bin/sh\nCONTAINERS_CONF="{CONTAINERS_CONF}" exec podman "$@"\n'
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return path
