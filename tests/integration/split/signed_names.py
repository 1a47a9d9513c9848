# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Names with and without DNSSEC in the tests' network: a signed root of their own, and a resolver that validates.

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from split_network import Network, enter

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
RESOLVER = "127.0.0.1"
PATIENCE = 30
# The zone "plain" has no DS record, and so nothing in it can be proven.
UNSIGNED = "plain"
ROOT = "$TTL 60\n@ SOA ns1. root. 1 3600 600 86400 60\n@ NS ns1.\nns1. A {address}\nplain. NS ns1.\n"
PLAIN = "$TTL 60\n@ SOA ns1. root. 1 3600 600 86400 60\n@ NS ns1.\n"
OPTIONS = (
    'options {{ directory "{folder}"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; pid-file none; '
    'session-keyfile none; managed-keys-directory "{folder}"; {more} }};\ncontrols {{ }};\n{zones}'
)
AUTHORITATIVE = 'zone "." {{ type primary; file "root.signed"; }};\nzone "plain" {{ type primary; file "plain"; }};\n'
RESOLVING = 'zone "." {{ type hint; file "hints"; }};\ntrust-anchors {{ . static-key {anchor}; }};\n'


@dataclass(frozen=True)
class SignedNames:
    """The network as a host at ``cloud`` sees it that asks the resolver; ``resolv_conf`` is its /etc/resolv.conf."""

    network: Network
    resolv_conf: Path

    @contextmanager
    def asking(self, address: str) -> Iterator[None]:
        """Have the host ask another server for names meanwhile."""
        before = self.resolv_conf.read_text()
        # In place: what is mounted is the file and not its name.
        self.resolv_conf.write_text(f"nameserver {address}\n")
        yield
        self.resolv_conf.write_text(before)


@contextmanager
def signed_names(network: Network, records: Iterable[str], forged: dict[str, str]) -> Iterator[SignedNames]:
    """Publish records, those in the zone ``plain`` unsigned; ``forged`` has words that are replaced after signing."""
    with tempfile.TemporaryDirectory(prefix="signed-names-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        resolv_conf = folder / "resolv.conf"
        # Without "options trust-ad": Postfix asks glibc by itself to leave the proof in the answer.
        resolv_conf.write_text(f"nameserver {RESOLVER}\n")
        anchor = _sign(folder, network.lab, list(records), forged)
        with ThreadPoolExecutor(1, initializer=_become, initargs=(network.namespace, resolv_conf)) as elsewhere:
            seen = replace(network, elsewhere=elsewhere)
            authoritative = OPTIONS.format(
                folder=folder,
                address=network.lab,
                more="recursion no; notify no; dnssec-validation no;",
                zones=AUTHORITATIVE.format(),
            )
            resolving = OPTIONS.format(
                folder=folder,
                address=RESOLVER,
                more="recursion yes; dnssec-validation yes; empty-zones-enable no;",
                zones=RESOLVING.format(anchor=anchor),
            )
            with _named(seen, folder, "authoritative", authoritative), _named(seen, folder, "resolver", resolving):
                yield SignedNames(seen, resolv_conf)


def _sign(folder: Path, address: str, records: list[str], forged: dict[str, str]) -> str:
    """Write the zones, and return the root's trust anchor as named takes it."""
    unsigned = [line for line in records if line.split()[0].endswith(f".{UNSIGNED}.")]
    signed = [line for line in records if line not in unsigned]
    (folder / "plain").write_text(PLAIN + "".join(f"{line}\n" for line in unsigned))
    (folder / "root").write_text(ROOT.format(address=address) + "".join(f"{line}\n" for line in signed))
    (folder / "hints").write_text(f". 3600 NS ns1.\nns1. 3600 A {address}\n")
    keygen = ["dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-K", folder, "."]
    key = subprocess.run(keygen, check=True, capture_output=True, text=True).stdout.strip()
    # One key signs all (-z): the tests want proof, and no change of keys.
    signing = ["dnssec-signzone", "-z", "-S", "-K", folder, "-O", "full", "-o", ".", "-f", folder / "root.signed"]
    subprocess.run([*signing, folder / "root"], check=True, capture_output=True, cwd=folder)
    text = (folder / "root.signed").read_text()
    for true, false in forged.items():
        assert true in text
        text = text.replace(true, false)
    (folder / "root.signed").write_text(text)
    words = (folder / f"{key}.key").read_text().splitlines()[-1].partition("DNSKEY")[2].split()
    return f'{" ".join(words[:3])} "{"".join(words[3:])}"'


@contextmanager
def _named(network: Network, folder: Path, name: str, configuration: str) -> Iterator[None]:
    """Run named beside the host until it has loaded what it serves."""
    (folder / f"{name}.conf").write_text(configuration)
    log = folder / f"{name}.log"
    with log.open("wb") as words:
        process = network.at("cloud", _start, ["/usr/sbin/named", "-4", "-g", "-c", folder / f"{name}.conf"], words)
    try:
        deadline = time.monotonic() + PATIENCE
        while " running\n" not in log.read_text():
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _start(command: list[str | Path], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _become(namespace: str, resolv_conf: Path) -> None:
    """Move the calling thread into a network, with a /etc/resolv.conf of its own (unshare(2), mount(2))."""
    enter(namespace)
    system = ctypes.CDLL(None, use_errno=True)
    done = [
        system.unshare(CLONE_NEWNS),
        system.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
        system.mount(str(resolv_conf).encode(), b"/etc/resolv.conf", None, MS_BIND, None),
    ]
    if any(done):
        raise OSError(ctypes.get_errno(), f"the mounts of a thread: {done}")
