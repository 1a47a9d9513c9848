# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A Postfix of the tests' own: a child instance with its own folders and port, which receives and never delivers.

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS_TO_START = 10

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx1.example.com
mydestination =
mynetworks =
virtual_mailbox_domains = example.com
virtual_mailbox_maps = inline:{{ {{alice@example.com = x}}, {{bob@example.com = x}}, {{later@example.com = x}} }}
smtpd_relay_restrictions =
    check_recipient_access inline:{{ {{later@example.com = 450 4.2.1 Come back later}} }},
    reject_unauth_destination
smtpd_recipient_limit = 3
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_tls_security_level = may
"""

MASTER_CF = """\
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running Postfix: where it listens and what is in its folder."""

    port: int
    folder: Path

    @property
    def certificate(self) -> Path:
        """Its certificate, for the name localhost; signed by itself."""
        return self.folder / "certificate.pem"

    @property
    def config(self) -> Path:
        """Its configuration directory."""
        return self.folder / "config"

    def log(self) -> str:
        """Everything it has logged."""
        return (self.folder / "mail.log").read_text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def wait_for_greeting(port: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_TO_START) as connection:
                if connection.recv(4) == b"220 ":
                    return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError(f"Postfix does not greet at port {port}")


@contextlib.contextmanager
def started_postfix(main_cf: str = MAIN_CF) -> Iterator[Postfix]:
    """Start it, give it, and stop it and remove its folder at the end."""
    # Not pytest's own folder: Postfix's daemons run as another user, to whom that is closed.
    folder = Path(tempfile.mkdtemp(prefix="smtp-probe-"))
    folder.chmod(0o755)
    config = folder / "config"
    for name in ("config", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    port = free_port()
    (config / "main.cf").write_text(main_cf.format(folder=folder))
    (config / "master.cf").write_text(MASTER_CF.format(port=port))
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
    )
    run("postfix", "-c", str(config), "start")
    try:
        wait_for_greeting(port)
        yield Postfix(port, folder)
    finally:
        run("postfix", "-c", str(config), "stop")
        shutil.rmtree(folder)
