#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The command that brings the laboratory up, shows it and takes it down.
"""Bring the laboratory of real mail servers up, show it, reset hosts of it, or take it down."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from laboratory.description import LabError, lab_description
from laboratory.images import remove_images
from laboratory.inventory import INVENTORY
from laboratory.machines import bring_up, standing_hosts, take_down
from laboratory.podman import CHECKOUT, check_machine, container_name, environment


def main() -> int:
    """Run the command line; 0 when done (status: when every host runs), 1 with one sentence when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring it up; does nothing where it stands already")
    up.add_argument("--all", action="store_true", help="also the hosts that only the topologies need")
    reset = commands.add_parser("reset", help="make hosts anew from their images")
    reset.add_argument("--all", action="store_true", help="also the hosts that only the topologies need")
    reset.add_argument("hosts", nargs="*", metavar="host", help="inventory names; all hosts when none is given")
    commands.add_parser("status", help="show the hosts")
    inside = commands.add_parser("run", help="run a command inside a host, as in: lab.py run mx1.example.com mailq")
    inside.add_argument("host", help="inventory name")
    inside.add_argument("words", nargs=argparse.REMAINDER, metavar="command", help="the command; a shell without one")
    down = commands.add_parser("down", help="remove containers, network and state of this checkout")
    down.add_argument("--images", action="store_true", help="remove the cached images of all checkouts, too")
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            return _up([], arguments.all)
        if arguments.command == "reset":
            return _up(arguments.hosts or [host.name for host in lab_description().hosts], arguments.all)
        if arguments.command == "status":
            check_machine()
            return _show()
        if arguments.command == "run":
            return _run(lab_description().host(arguments.host).name, arguments.words)
        take_down()
        if arguments.images:
            remove_images()
        print("The laboratory is down.")
    except LabError as error:
        print(f"lab.py: {error}", file=sys.stderr)
        return 1
    return 0


def _up(fresh: list[str], everything: bool) -> int:
    begun = time.monotonic()
    made = bring_up(fresh, everything)
    print(f"The laboratory is up ({time.monotonic() - begun:.1f} s; made now: {', '.join(made) or 'nothing'}).")
    print(f"Inventory: {INVENTORY.relative_to(CHECKOUT)}")
    return _show()


def _run(host: str, words: list[str]) -> int:
    terminal = ["--tty"] if sys.stdin.isatty() else []
    command = ["podman", "exec", "--interactive", *terminal, container_name(host), *(words or ["bash"])]
    return subprocess.run(command, check=False, env=environment()).returncode  # noqa: S603


def _show() -> int:
    states = standing_hosts()
    for state in states:
        print(f"  {state.name:<22} {state.address:<16} {state.state}")
    return 0 if all(state.state == "running" for state in states) else 1


if __name__ == "__main__":
    sys.exit(main())
