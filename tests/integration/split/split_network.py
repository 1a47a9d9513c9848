# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A network of the tests' own: the machine on one side, and on the other a namespace whose addresses are not its own.

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

CLONE_NEWNET = 0x40000000
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Network:
    """Four hosts: ``hq`` is the machine itself, the others live in a namespace, each with an address of its own.

    The lab may have a namespace of its own: ``lab_apart``. Without it a server at cloud takes the lab's address for its
    own.
    """

    hq: str
    cloud: str
    lab: str
    outside: str
    elsewhere: Executor
    namespace: str = ""
    interface: str = ""
    """The namespace of the others, and what connects it with the machine."""
    lab_apart: Executor | None = None

    def at(self, host: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do some work where a host is: its sockets and the processes that it starts are in the host's network."""
        if host == "hq":
            return work(*arguments)
        executor = self.elsewhere if host != "lab" or self.lab_apart is None else self.lab_apart
        return executor.submit(work, *arguments).result()

    def sixth_address(self, host: str) -> str:
        """Return the IPv6 address of a host; only ``hq`` and ``cloud`` have one."""
        return _sixth(self.address(host))

    def address(self, host: str) -> str:
        """Return the address of a host."""
        return str(getattr(self, host))


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def enter(namespace: str) -> None:
    """Move the calling thread alone into a namespace (setns(2))."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)


def _sixth(address: str) -> str:
    """Return the IPv6 address of the host with an IPv4 one, in a network of their own (RFC 4193)."""
    first, second, third, fourth = map(int, address.split("."))
    return f"fd00:{first:x}:{second:x}:{third:x}::{fourth:x}"


def _free_addresses(start: int) -> list[str]:
    """Return the first four addresses of a network for tests (RFC 2544) that is not in use; the laboratory has others.

    Where two runs on one machine begin to look is their own.
    """
    routes = subprocess.run(["ip", "-4", "route"], check=True, capture_output=True, text=True).stdout
    for place in range(start, start + 4096):
        third, fourth = divmod(place % 4096, 16)
        if f"198.19.{third}.{fourth * 16}/" not in routes:
            return [f"198.19.{third}.{fourth * 16 + last}" for last in (1, 2, 3, 4)]
    raise AssertionError("no network is free for the tests")


@contextmanager
def network() -> Iterator[Network]:
    """Give a network, and take it down afterwards."""
    process, number = os.getpid(), next(_NUMBERS)
    namespace, near, far = f"split-test-{process}-{number}", f"sn{process}-{number}", f"sf{process}-{number}"
    # A run that was killed may have left one; its interfaces go with it.
    subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)
    hosts = _free_addresses(process * 16 + number)
    _ip("netns", "add", namespace)
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace)
        _ip("address", "add", f"{hosts[0]}/28", "dev", near)
        _ip("link", "set", near, "up")
        for address in hosts[1:]:
            _ip("-n", namespace, "address", "add", f"{address}/28", "dev", far)
        _ip("-n", namespace, "link", "set", far, "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        for place, end in (((), near), (("-n", namespace), far)):
            last = 1 if end == near else 2
            # Nobody else has it, and nobody waits for finding that out.
            _ip(*place, "-6", "address", "add", f"{_sixth(hosts[last - 1])}/124", "dev", end, "nodad")
        with ThreadPoolExecutor(1, initializer=enter, initargs=(namespace,)) as elsewhere:
            yield Network(*hosts, elsewhere, namespace, far)
    finally:
        _ip("netns", "delete", namespace)


@contextmanager
def network_with_lab_apart() -> Iterator[Network]:
    """Give a network in which the lab has a namespace of its own, beside that of cloud and outside."""
    with network() as made:
        lab, bridge = f"{made.namespace}-lab", "bridge"
        subprocess.run(["ip", "netns", "delete", lab], capture_output=True, check=False)
        _ip("netns", "add", lab)
        try:
            inside = ("-n", made.namespace)
            _ip(*inside, "link", "add", bridge, "type", "bridge")
            _ip(*inside, "address", "flush", "dev", made.interface, "scope", "global")
            for address in (made.cloud, made.outside):
                _ip(*inside, "address", "add", f"{address}/28", "dev", bridge)
            _ip(*inside, "link", "add", "to-lab", "type", "veth", "peer", "name", "lab", "netns", lab)
            _ip("-n", lab, "address", "add", f"{made.lab}/28", "dev", "lab")
            for place, name in ((made.namespace, bridge), (made.namespace, "to-lab"), (lab, "lab"), (lab, "lo")):
                _ip("-n", place, "link", "set", name, "up")
            for name in (made.interface, "to-lab"):
                _ip(*inside, "link", "set", name, "master", bridge)
            with ThreadPoolExecutor(1, initializer=enter, initargs=(lab,)) as lab_apart:
                yield replace(made, lab_apart=lab_apart)
        finally:
            _ip("netns", "delete", lab)
