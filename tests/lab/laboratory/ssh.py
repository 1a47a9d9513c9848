# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# How Ansible reaches the hosts: over SSH, as on servers that people have, with a key and connections that are kept.
"""SSH connections of Ansible to the laboratory's hosts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from laboratory.description import LabError
from laboratory.podman import LAB_NAME, STATE_FOLDER

KEY = STATE_FOLDER / "ssh-key"
AUTHORIZED_KEYS = "/root/.ssh/authorized_keys"
# Kept connections have a socket here: the path of a socket has to be short (unix(7)).
SOCKETS = Path("/run") / f"{LAB_NAME}-ssh"
# Hosts are made anew with the same address and another identity; an answer that does not come is not waited for.
OPTIONS = (
    "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ServerAliveInterval=10 "
    "-o ControlMaster=auto -o ControlPersist=60s"
)


def public_key() -> bytes:
    """Give the key that the hosts let in as root, made at the first time."""
    public = KEY.with_name(f"{KEY.name}.pub")
    if not public.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", LAB_NAME, "-f", str(KEY)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
        if done.returncode != 0:
            raise LabError(f"ssh-keygen made no key for the laboratory: {done.stderr.strip()}")
    SOCKETS.mkdir(mode=0o700, exist_ok=True)
    return public.read_bytes()


def connection_variables(host: str, address: str) -> dict[str, str]:
    """Give Ansible's variables of one host's connection."""
    return {"ansible_host": address, "ansible_control_path": str(SOCKETS / host)}


def common_variables() -> dict[str, str | bool]:
    """Give Ansible's variables of all connections."""
    return {
        "ansible_connection": "ssh",
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(KEY),
        "ansible_ssh_args": OPTIONS,
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def forget_connection(host: str) -> None:
    """End the connection that is kept to a host, which is going away."""
    socket = SOCKETS / host
    if socket.exists():
        command = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", host]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        socket.unlink(missing_ok=True)


def forget_all_connections() -> None:
    """End all connections that are kept."""
    for socket in SOCKETS.glob("*"):
        forget_connection(socket.name)
    shutil.rmtree(SOCKETS, ignore_errors=True)
