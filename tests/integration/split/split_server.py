# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A mail server in the tests' network: a real Postfix with a configuration that somebody else has grown.

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forked_module import run_module
from postfix_instance import Instance
from split_network import Network

# As such files are found: odd spacing, comments in the middle of values, lists in three styles, no final newline.
GROWN_MAIN_CF = """\
compatibility_level=3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
myhostname = {name}.example.net
mydestination =
alias_maps =
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = {mynetworks}
# Nobody answers questions about the addresses of a test.
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_tls_security_level = none
recipient_delimiter = +

  # another domain, which has nothing to do with the split
virtual_mailbox_domains   =   example.net
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps = lmdb:{config}/aliases
virtual_mailbox_base = {directory}/mailboxes
virtual_transport = lmtp:unix:private/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = inline:{{ {{special.example.net = error:5.7.1 not for you}} }},
# the old table
\tlmdb:{config}/transport
smtpd_restriction_classes = greylisted,whitelisted
greylisted = permit
whitelisted = permit
smtpd_relay_restrictions = permit_mynetworks
        permit_sasl_authenticated,

        reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{closed@example.net = 550 5.2.1 closed}} }}
transport_retry_time=60s
# the end"""

TABLES = {
    "mailboxes": "carl@example.net carl/\nclosed@example.net closed/\n",
    "aliases": "postmaster@example.com carl@example.net\nsales@example.net carl@example.net\n",
    "transport": "slow.example.net smtp:[192.0.2.1]\n",
}


@dataclass(frozen=True)
class Reply:
    """What a mail server said to a recipient."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


@dataclass(frozen=True)
class SplitServer(Instance):
    """A Postfix instance at one of the hosts of the network."""

    host: str
    network: Network

    @property
    def address(self) -> str:
        """The server's address."""
        return self.network.address(self.host)

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of Postfix's commands where the server is."""
        done: subprocess.CompletedProcess[str] = self.network.at(self.host, super().command, *arguments)
        return done

    def run(self, module: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run a module where the server is."""
        arguments.update(config_directory=str(self.config), _ansible_check_mode=check, _ansible_diff=True)
        result: dict[str, Any] = self.network.at(self.host, run_module, module, arguments)
        return result

    def split(self, *domains: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run split_domains, which must succeed."""
        result = self.run("split_domains", check=check, domains=list(domains), **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def routes(self, domain: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run recipient_routes, which must succeed."""
        result = self.run("recipient_routes", check=check, domain=domain, **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def wait_for_smtp(self) -> None:
        """Wait until the SMTP server answers."""
        deadline = time.monotonic() + 20
        while True:
            try:
                self.network.at(self.host, self._greet)
                return
            except OSError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop the instance if it runs; postfix(1) would look only once a second whether it has."""
        if self.command("postfix", "status").returncode != 0:
            return
        os.kill(self.master_process(), signal.SIGTERM)
        while self.command("postfix", "status").returncode == 0:
            time.sleep(0.02)

    def _greet(self) -> None:
        with socket.create_connection((self.address, self.port), timeout=5) as connection:
            assert connection.recv(4) == b"220 "

    def ask(self, recipient: str, client: str = "outside") -> Reply:
        """Return the answer to a recipient when a host of the network asks; no message is sent."""
        reply: Reply = self.network.at(client, self._ask, recipient, self.network.address(client))
        return reply

    def _ask(self, recipient: str, source: str) -> Reply:
        with smtplib.SMTP(self.address, self.port, timeout=30, source_address=(source, 0)) as smtp:
            smtp.ehlo("client.example.org")
            smtp.mail("sender@example.org")
            code, text = smtp.rcpt(recipient)
            return Reply(code, text.decode())

    def deliver(self, recipient: str, subject: str, client: str = "outside") -> None:
        """Send a message through the server from a host of the network."""
        self.network.at(client, self._deliver, recipient, subject, self.network.address(client))

    def _deliver(self, recipient: str, subject: str, source: str) -> None:
        with smtplib.SMTP(self.address, self.port, timeout=30, source_address=(source, 0)) as smtp:
            smtp.sendmail("sender@example.org", [recipient], f"Subject: {subject}\r\n\r\ntext\r\n")

    def wait_for_empty_queue(self) -> None:
        """Wait until all mail has gone where it goes."""
        deadline = time.monotonic() + 30
        while self.command("postqueue", "-j").stdout:
            assert time.monotonic() < deadline, self.command("postqueue", "-p").stdout
            time.sleep(0.05)

    def reloads(self) -> int:
        """Return how often the server has been reloaded."""
        return self.logged("reload -- version")

    def restart(self) -> None:
        """Have it answer by what main.cf and its tables say now; after a reload an old process may answer once more."""
        self.stop()
        self.start()

    def define(self, lines: str) -> None:
        """Define parameters, in the place of what main.cf has of them."""
        self.main_cf.write_text(defined_once(f"{self.main_cf.read_text()}\n{lines}"))

    @property
    def ours(self) -> Path:
        """The directory of the collection."""
        return self.config / "split_domain"


def defined_once(main_cf: str) -> str:
    """Leave out of a main.cf what it defines again further down."""
    definitions: list[str] = []
    for line in main_cf.splitlines(keepends=True):
        if definitions and line[:1] in " \t\n#":
            definitions[-1] += line
        else:
            definitions.append(line)
    last = {definition.partition("=")[0].strip(): number for number, definition in enumerate(definitions)}
    return "".join(definitions[number] for number in sorted(last.values()))


@contextmanager
def configured_server(network: Network, host: str, main_cf: str = GROWN_MAIN_CF) -> Iterator[SplitServer]:
    """Give a configured server that does not run yet, and take it down afterwards."""
    # Not below pytest's own temporary directory: Postfix's daemons may not look into that.
    directory = Path(tempfile.mkdtemp(prefix="split-test-"))
    directory.chmod(0o755)
    user = pwd.getpwnam("postfix")
    for name in ("config", "queue", "log", "data", "mailboxes"):
        (directory / name).mkdir()
    for name in ("data", "mailboxes"):
        os.chown(directory / name, user.pw_uid, user.pw_gid)
    config = directory / "config"
    address = network.address(host)
    server = SplitServer(directory, config, network.at(host, _free_port, address), host, network)
    server.main_cf.write_text(
        main_cf.format(
            directory=directory,
            config=config,
            name=host,
            address=address,
            # The lab's relay is trusted by this server, as some are.
            mynetworks=f"127.0.0.0/8 {address} {network.lab}",
            uid=user.pw_uid,
            gid=user.pw_gid,
        )
    )
    (config / "master.cf").write_text(_master_cf(address, server.port))
    # Postfix waits for a main.cf that was written just now to be finished.
    os.utime(server.main_cf, (1_000_000_000, 1_000_000_000))
    for name, text in TABLES.items():
        (config / name).write_text(text)
        assert server.command("postmap", f"lmdb:{config / name}").returncode == 0
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as probe:
        return int(probe.getsockname()[1])


def _master_cf(address: str, port: int) -> str:
    """Return the machine's master.cf without chroot, its SMTP server at another address and port."""
    services = []
    for line in Path("/etc/postfix/master.cf").read_text().splitlines():
        fields = line.split()
        # Services that run other programs go on over a second line, and no test needs them.
        if line[:1] in ("", "#", " ", "\t") or fields[-1] == "pipe":
            continue
        if fields[:2] == ["smtp", "inet"]:
            fields[0] = f"{address}:{port}"
        if re.fullmatch("[yn-]", fields[4]):
            fields[4] = "n"
            services.append(" ".join(fields))
    return "\n".join(services) + "\n"
