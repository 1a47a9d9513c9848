# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The containers of the laboratory: brought up, stopped, started, cut off, taken down.
"""The containers of one laboratory."""

from __future__ import annotations

import fcntl
import hashlib
import ipaddress
import json
import secrets
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from laboratory.description import Description, Host, LabError, lab_description
from laboratory.diagnosis import why_not_ready
from laboratory.directories import write_directories
from laboratory.images import ensure_images, image_name
from laboratory.inventory import write_inventory
from laboratory.network import current_subnet, ensure_network, remove_network
from laboratory.podman import (
    LAB_NAME,
    STATE_FOLDER,
    check_machine,
    container_name,
    first_process,
    podman,
    run_in,
    write_wrapper,
)
from laboratory.provision import host_archive
from laboratory.ssh import forget_all_connections, forget_connection, public_key
from laboratory.waiting import wait_until
from laboratory.zones import key_text

BOOT_SECONDS = 60.0
RECIPE_LABEL = "split-domain-lab.recipe"


@dataclass(frozen=True)
class HostState:
    """What podman says of one host's container; ``state`` is ``missing`` where there is none."""

    name: str
    state: str
    address: str
    recipe: str


def bring_up(fresh: Iterable[str] = (), everything: bool = False) -> list[str]:
    """Make the laboratory stand: images, network, every host running and answering, the inventory written.

    Hosts that are apart are left out where they do not stand yet, unless it is ``everything``. Hosts that stand as
    described are left alone, except those named in ``fresh``: they are made anew from their image. Gives the names of
    the hosts that were made.
    """
    check_machine()
    description = lab_description()
    fresh = {description.host(name).name for name in fresh}
    with _alone_with_this_laboratory():
        ensure_images()
        subnet = ensure_network(description)
        secret = _dns_secret(description)
        key = public_key()
        present = {state.name: state for state in host_states()}
        standing = tuple(
            host for host in description.hosts if everything or not host.apart or present[host.name].state != "missing"
        )
        made = []
        for host in standing:
            archive = host_archive(description, host, subnet, secret, key)
            recipe = _recipe(host, archive, subnet)
            state = present[host.name]
            if state.recipe == recipe and host.name not in fresh:
                if state.state != "running":
                    start(host.name)
                continue
            _make(host, archive, recipe, description, subnet)
            made.append(host.name)
        for host in standing:
            wait_until_ready(host)
        write_directories(description)
        write_inventory(description, standing, subnet)
        write_wrapper(STATE_FOLDER)
    return made


def standing_hosts() -> list[HostState]:
    """Give the states of the hosts that belong to this laboratory as it was brought up."""
    return [
        state for state in host_states() if state.state != "missing" or not lab_description().host(state.name).apart
    ]


def take_down() -> None:
    """Remove this laboratory's containers, its network and its state; the images stay for the next time."""
    check_machine()
    with _alone_with_this_laboratory():
        names = podman("ps", "--all", "--filter", f"name=^{LAB_NAME}-", "--format", "{{.Names}}").out.split()
        if names:
            podman("rm", "--force", "--time", "0", "--volumes", *names)
        remove_network()
        forget_all_connections()
    shutil.rmtree(STATE_FOLDER, ignore_errors=True)


def host_states() -> list[HostState]:
    """Give the state of every host of the description, in its order."""
    description = lab_description()
    subnet = current_subnet()
    listed = podman("ps", "--all", "--filter", f"name=^{LAB_NAME}-", "--format", "json").out
    containers = {entry["Names"][0]: entry for entry in json.loads(listed or "[]")}
    states = []
    for host in description.hosts:
        entry = containers.get(container_name(host.name))
        states.append(
            HostState(
                name=host.name,
                state=entry["State"] if entry else "missing",
                address=host.address(subnet) if subnet else "",
                recipe=(entry["Labels"] or {}).get(RECIPE_LABEL, "") if entry else "",
            )
        )
    return states


def stop(host: str) -> None:
    """Switch a host off, as a power cut does."""
    podman("stop", "--time", "0", container_name(host))
    forget_connection(host)


def start(host: str) -> None:
    """Switch a host on and wait until its services answer."""
    podman("start", container_name(host))
    wait_until_ready(lab_description().host(host))


@contextmanager
def stopped(host: str) -> Iterator[None]:
    """Keep a host switched off for a while; it is on again afterwards, whatever happens."""
    stop(host)
    try:
        yield
    finally:
        start(host)


@contextmanager
def cut_off(host: str) -> Iterator[None]:
    """Take a host off the network for a while: packets to it get no answer at all, as with a broken line."""
    _set_link(host, "down")
    try:
        yield
    finally:
        _set_link(host, "up")


def _set_link(host: str, state: str) -> None:
    """Pull the host's network plug, or put it in again; from outside, because a host has no right to do that."""
    command = ["nsenter", "--target", first_process(host), "--net", "ip", "link", "set", "eth0", state]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise LabError(f"the network of {host} could not be set {state}: {done.stderr.strip()}")


def wait_until_ready(host: Host) -> None:
    """Return when the host's services run; ``LabError`` with their state when they do not come up."""

    def ready() -> bool:
        units = [f"{service}.service" for service in (*host.services, "ssh")]
        if run_in(host.name, "systemctl", "is-active", "--quiet", *units, check=False).code != 0:
            return False
        if host.kind == "name_server":
            zone = lab_description().zones[0].name
            return run_in(host.name, "dig", "+short", "@127.0.0.1", zone, "SOA", check=False).out.strip() != ""
        if "postfix" in host.services:
            listening = run_in(host.name, "ss", "--no-header", "-ltn", "sport = :25", check=False)
            return listening.out.strip() != ""
        return True

    try:
        wait_until(f"{host.name} has booted with {', '.join(host.services)} running", ready, BOOT_SECONDS)
    except LabError as error:
        raise LabError(f"{error}\n{why_not_ready(host.name)}") from error


def _make(host: Host, archive: bytes, recipe: str, description: Description, subnet: ipaddress.IPv4Network) -> None:
    name = container_name(host.name)
    podman("rm", "--force", "--ignore", "--time", "0", name)
    forget_connection(host.name)
    podman(
        "create",
        f"--name={name}",
        f"--hostname={host.fqdn}",
        f"--label={RECIPE_LABEL}={recipe}",
        f"--network={LAB_NAME}",
        f"--ip={host.address(subnet)}",
        f"--mac-address={_hardware_address(name)}",
        f"--dns={description.name_server.address(subnet)}",
        "--dns-search=.",
        "--systemd=always",
        image_name(host.image),
    )
    # Everything is in place before systemd starts, so that a service never runs with other settings.
    podman("cp", "-", f"{name}:/", data=archive)
    podman("start", name)


def _hardware_address(name: str) -> str:
    """Give a container the address that an earlier one of its name had: its neighbours remember that for seconds."""
    return "02:" + hashlib.sha256(name.encode()).digest()[:5].hex(":")


def _recipe(host: Host, archive: bytes, subnet: ipaddress.IPv4Network) -> str:
    parts = f"{host} {image_name(host.image)} {subnet}".encode()
    return hashlib.sha256(parts + archive).hexdigest()[:16]


def _dns_secret(description: Description) -> str:
    """Give the secret of the laboratory's TSIG key, made at the first time and readable for its owner alone."""
    path = STATE_FOLDER / "dns-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(b64encode(secrets.token_bytes(32)).decode(), encoding="ascii")
    secret = path.read_text(encoding="ascii").strip()
    key = STATE_FOLDER / "dns.key"
    key.touch(mode=0o600)
    key.write_text(key_text(description.dns_key, secret), encoding="ascii")
    return secret


@contextmanager
def _alone_with_this_laboratory() -> Iterator[None]:
    STATE_FOLDER.mkdir(parents=True, exist_ok=True)
    with (STATE_FOLDER.with_suffix(".lock")).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError("another command is bringing this laboratory up or down; wait for it") from error
        yield
