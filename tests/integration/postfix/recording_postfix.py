# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Postfix whose transports write down what they are handed, instead of sending it: where mail really goes.

from __future__ import annotations

import json
import os
import re
import smtplib
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postfix_instance import Instance, configured_instance

# Services that come with every Postfix, and some of an administrator's own.
TRANSPORTS = ("smtp", "relay", "lmtp", "virtual", "custom", "dovecot")
_BASE = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
myhostname = mail.example.com
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
mail_spool_directory = {directory}/mailboxes/
"""
_MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{open_port} inet n - n - - smtpd
  -o smtpd_relay_restrictions=permit_inet_interfaces,reject -o smtpd_reject_unlisted_recipient=no
  -o smtpd_client_restrictions= -o smtpd_recipient_restrictions=
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_RECORDER = """\
#!/bin/sh
record=$1 service=$2 nexthop=$3
shift 3
number=$(grep -m1 '^X-Number:' | cut -d' ' -f2)
for recipient; do echo "$number|$service|$nexthop|$recipient"; done >> "$record"
"""
_LOGGED = re.compile(
    r"postfix/(?P<agent>error|local|discard)\[\d+\]: (?P<message>[0-9A-Za-z]+): to=<(?P<recipient>[^>]*)>.*?"
    r"status=(?P<status>\w+) \((?P<text>.*)\)$"
)
_QUEUED = re.compile(r"queued as (\w+)")
_MADE_OF = re.compile(r"(?:command: |file: )(.*)")

Arrival = tuple[str, str, str]
"""Transport, next hop, and recipient; of an error its text takes the place of the next hop."""


@dataclass(frozen=True)
class RecordingPostfix:
    """A running Postfix instance with two doors: one as strangers find it, and one that takes everything."""

    instance: Instance
    open_port: int

    def arrivals(self, addresses: Iterable[str], sender: str = "") -> dict[str, set[Arrival]]:
        """Send a message to each address, and give where each arrived."""
        self._record.write_text("")
        messages: dict[str, str] = {}
        numbers: dict[str, str] = {}
        with smtplib.SMTP("127.0.0.1", self.open_port, timeout=20) as smtp:
            smtp.ehlo()
            for number, address in enumerate(addresses):
                numbers[str(number)] = address
                smtp.mail(sender)
                code, text = smtp.rcpt(address)
                assert code == 250, text
                code, text = smtp.data(f"X-Number: {number}\nSubject: where to?\n\ntest\n".encode())
                queued = _QUEUED.search(text.decode())
                # A refusal here is what cleanup(8) says to aliases that it cannot expand.
                if queued:
                    messages[queued.group(1)] = address
        self._wait_until_idle()
        found: dict[str, set[Arrival]] = {address: set() for address in numbers.values()}
        for line in self._record.read_text().splitlines():
            number, service, nexthop, recipient = line.split("|")
            found[numbers[number]].add((service, nexthop, recipient))
        for line in self.instance.log().splitlines():
            forwarded = re.search(r": (\w+): to=.*\(forwarded as (\w+)\)", line)
            if forwarded and forwarded.group(1) in messages:
                messages[forwarded.group(2)] = messages[forwarded.group(1)]
        for line in self.instance.log().splitlines():
            logged = _LOGGED.search(line)
            if logged and logged["message"] in messages and "forwarded as" not in logged["text"]:
                found[messages[logged["message"]]].add(_arrival(logged))
        return found

    def route_info(self, *addresses: str, **arguments: Any) -> list[dict[str, Any]]:
        """Ask route_info about addresses, which must succeed, and give its answers in their order."""
        result = self.instance.run("route_info", addresses=list(addresses), **arguments)
        assert not result.get("failed"), result["msg"]
        traced: list[dict[str, Any]] = result["addresses"]
        return traced

    @property
    def _record(self) -> Path:
        return self.instance.directory / "mailboxes" / "record"

    def _wait_until_idle(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            listed = self.instance.command("postqueue", "-j").stdout.splitlines()
            if all(json.loads(line)["queue_name"] == "deferred" for line in listed):
                # The log is written by a process of its own.
                time.sleep(0.3)
                return
            assert time.monotonic() < deadline, self.instance.log()
            time.sleep(0.1)


def _arrival(logged: re.Match[str]) -> Arrival:
    text, recipient = logged["text"], logged["recipient"]
    if logged["status"] in ("bounced", "deferred"):
        return ("error" if logged["status"] == "bounced" else "retry", text, recipient)
    made = _MADE_OF.search(text)
    return (logged["agent"], "", made.group(1) if made else recipient)


@contextmanager
def recording_postfix(main_cf: str, **files: str) -> Iterator[RecordingPostfix]:
    """Start a Postfix with these lines of main.cf and these tables, which are indexed; ``{config}`` is their folder."""
    with configured_instance() as instance:
        places = {
            "{directory}": str(instance.directory),
            "{config}": str(instance.config),
            "{mailboxes}": str(instance.directory / "mailboxes"),
        }

        def placed(text: str) -> str:
            for place, here in places.items():
                text = text.replace(place, here)
            return text

        instance.main_cf.write_text(placed(_BASE + ("" if "\nalias_maps" in main_cf else "alias_maps =\n") + main_cf))
        os.utime(instance.main_cf, (1_000_000_000, 1_000_000_000))
        for name, text in files.items():
            path = instance.config / name
            path.write_text(placed(text))
            if not name.endswith(("patterns", "more_domains")):
                indexed = instance.command("postalias" if name == "aliases" else "postmap", f"lmdb:{path}")
                assert indexed.returncode == 0, indexed.stderr
        mailboxes = instance.directory / "mailboxes"
        mailboxes.chmod(0o777)
        (mailboxes / "record").touch()
        (mailboxes / "record").chmod(0o666)
        recorder = instance.directory / "recorder"
        recorder.write_text(_RECORDER)
        recorder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            started = RecordingPostfix(instance, int(free.getsockname()[1]))
        master_cf = _MASTER_CF.format(port=instance.port, open_port=started.open_port)
        for transport in TRANSPORTS:
            master_cf += (
                f"{transport} unix - n n - - pipe user=nobody argv={recorder} {mailboxes}/record {transport} "
                "${nexthop} ${recipient}\n"
            )
        (instance.config / "master.cf").write_text(master_cf)
        instance.start()
        yield started
