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

PROGRAMS = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap", "/usr/lib/podman/netavark": "netavark"}


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
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are the laboratory's own
            ["podman", *arguments],  # noqa: S607
            input=data if data is not None else b"",
            capture_output=True,
            check=False,
            env=environment(),
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"podman {' '.join(arguments)[:200]} did not end within {timeout:g} seconds") from error
    answer = Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    if check and answer.code != 0:
        said = (answer.err or answer.out).strip()[-600:]
        raise LabError(f"podman {' '.join(arguments)[:200]} failed with exit code {answer.code}: {said}")
    return answer


def container_name(host: str) -> str:
    """Give the name of the container of the host with that inventory name."""
    return f"{LAB_NAME}-{host}"


def run_in(host: str, *command: str, data: bytes | None = None, check: bool = True, timeout: float = 600) -> Answer:
    """Run a command as root inside a host of the laboratory."""
    return podman("exec", "--interactive", container_name(host), *command, data=data, check=check, timeout=timeout)


def write_wrapper(folder: Path) -> Path:
    """Write the small program that Ansible and people call as podman with the laboratory's settings; give its path."""
    path = folder / "podman"
    text = f'#!/bin/sh\nCONTAINERS_CONF="{CONTAINERS_CONF}" exec podman "$@"\n'
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return path
