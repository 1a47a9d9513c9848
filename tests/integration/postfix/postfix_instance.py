# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Postfix of its own for a test: configuration, queue and port aside from the machine's own mail system.

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODULES = "ansible_collections.mailops.split_domain.plugins.modules"

MAIN_CF = """\
# The main.cf of a test.
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
myhostname = test.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_recipient_maps =
# Mailboxes of the test's users.
virtual_mailbox_domains = example.com
virtual_mailbox_base = {directory}/mailboxes
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_recipient_restrictions = permit_mynetworks,
    reject_unauth_destination
"""


@dataclass(frozen=True)
class Instance:
    """One Postfix instance under a directory of its own."""

    directory: Path
    config: Path
    port: int

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of Postfix's commands on the instance."""
        command = [arguments[0], "-c", str(self.config), *arguments[1:]]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def lookup(self, table: str, key: str) -> str | None:
        """Return what Postfix finds in a table; None when there is no such key, an error when it cannot look."""
        result = self.command("postmap", "-q", key, table)
        assert not result.stderr, result.stderr
        return result.stdout.rstrip("\n") if result.returncode == 0 else None

    def start(self) -> None:
        """Start the instance and wait until it answers."""
        started = self.command("postfix", "start")
        assert started.returncode == 0, self.log()
        # Each daemon logs this when it starts, postlogd(8) to itself: where few messages may wait, it waits for ever.
        assert "overriding earlier entry" not in started.stderr, started.stderr
        self.wait_for_smtp()

    def wait_for_smtp(self) -> None:
        """Wait until the SMTP server answers."""
        deadline = time.monotonic() + 20
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=5):
                    return
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)

    def answer_to(self, recipient: str) -> int:
        """Return the reply code of the SMTP server to a recipient."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as smtp:
            smtp.ehlo()
            smtp.mail("sender@example.org")
            return smtp.rcpt(recipient)[0]

    def send(self, recipient: str, text: str) -> None:
        """Send a message through the SMTP server."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as smtp:
            smtp.sendmail("sender@example.org", [recipient], f"Subject: test\n\n{text}\n")

    def mailbox(self, name: str, text: str) -> bool:
        """Tell whether a text arrives in a mailbox within some seconds."""
        deadline = time.monotonic() + 20
        path = self.directory / "mailboxes" / name
        while time.monotonic() < deadline:
            if path.exists() and text in path.read_text():
                return True
            time.sleep(0.1)
        return False

    def log(self) -> str:
        """Return what the instance logged."""
        path = self.directory / "log" / "mail.log"
        return path.read_text() if path.exists() else "(nothing was logged)"

    def logged(self, text: str) -> int:
        """Return how often the log has a text, after the time that logging takes."""
        time.sleep(0.3)
        return self.log().count(text)

    def master_process(self) -> int:
        """Return the process id of the instance's master."""
        return int((self.directory / "queue" / "pid" / "master.pid").read_text())

    def run(self, module: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run a module of the collection on the instance, as Ansible does: a process of its own, JSON in and out."""
        arguments.setdefault("config_directory", str(self.config))
        arguments.update(_ansible_check_mode=check, _ansible_diff=True, _ansible_verbosity=0)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"ANSIBLE_MODULE_ARGS": arguments}, file)
            file.flush()
            done = subprocess.run(
                [sys.executable, "-m", f"{MODULES}.{module}", file.name], capture_output=True, text=True, check=False
            )
        assert done.stdout.strip().startswith("{"), done.stdout + done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def map(self, **arguments: Any) -> dict[str, Any]:
        """Run postfix_map."""
        return self.run("postfix_map", **arguments)

    def parameters(self, **arguments: Any) -> dict[str, Any]:
        """Run postfix_parameters."""
        return self.run("postfix_parameters", **arguments)

    @property
    def main_cf(self) -> Path:
        """The instance's main.cf."""
        return self.config / "main.cf"

    def files(self) -> dict[str, bytes]:
        """Return all files of the configuration directory with what they hold."""
        return {
            str(path.relative_to(self.config)): path.read_bytes() for path in self.config.rglob("*") if path.is_file()
        }

    def times(self) -> dict[str, int]:
        """Return when each file of the configuration directory was written last, in nanoseconds."""
        return {name: (self.config / name).stat().st_mtime_ns for name in self.files()}


@contextmanager
def configured_instance() -> Iterator[Instance]:
    """Give a configured instance that does not run yet, and take it down afterwards."""
    # Not below pytest's own temporary directory: Postfix's daemons may not look into that.
    directory = Path(tempfile.mkdtemp(prefix="postfix-test-"))
    directory.chmod(0o755)
    user = pwd.getpwnam("postfix")
    for name in ("config", "queue", "log", "data", "mailboxes"):
        (directory / name).mkdir()
    for name in ("data", "mailboxes"):
        os.chown(directory / name, user.pw_uid, user.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    created = Instance(directory, directory / "config", port)
    created.main_cf.write_text(
        MAIN_CF.format(directory=directory, config=created.config, uid=user.pw_uid, gid=user.pw_gid)
    )
    (created.config / "master.cf").write_text(_master_cf(port))
    # Postfix waits for a main.cf that was written just now to be finished.
    os.utime(created.main_cf, (1_000_000_000, 1_000_000_000))
    try:
        yield created
    finally:
        if created.command("postfix", "status").returncode == 0:
            created.command("postfix", "stop")
        shutil.rmtree(directory, ignore_errors=True)


def _master_cf(port: int) -> str:
    """Return the machine's master.cf without chroot, its SMTP server at another port."""
    lines = Path("/etc/postfix/master.cf").read_text().splitlines()
    services = []
    for line in lines:
        fields = line.split()
        if line[:1] in ("", "#", " ", "\t"):
            continue
        if fields[0] == "smtp" and fields[1] == "inet":
            fields[0] = f"127.0.0.1:{port}"
        if re.fullmatch("[yn-]", fields[4]):
            fields[4] = "n"
            services.append(" ".join(fields))
    # Services that run other programs go on over a second line, and no test needs them.
    return "\n".join(line for line in services if not line.endswith("pipe")) + "\n"
