# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Making a machine ready: what setup.sh leaves behind when it is ended, and what is pinned by its contents.
#
# A package manager in a folder of the test stands in for apt: the real one cannot be made to stand still in the middle.

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GATES = ROOT / "tests" / "gates"
PATIENCE = 20
LOCKED = GATES / "requirements-locked.txt"

# No package is installed, and installing one lasts until the test has seen enough.
STAND_INS = {
    "dpkg-query": "exit 1",
    "debconf-set-selections": "cat >/dev/null",
    "apt-get": '[ "$1" = update ] || { : >"$SETUP_BUSY"; exec sleep 60; }',
    "sudo": 'exec "$@"',
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Give a checkout whose setup stands still while it installs packages."""
    gates = tmp_path / "tests" / "gates"
    gates.mkdir(parents=True)
    for name in ("setup.sh", "requirements-apt.txt"):
        shutil.copy(GATES / name, gates / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, script in STAND_INS.items():
        command = commands / name
        command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        command.chmod(0o755)
    return tmp_path


@pytest.fixture
def installing(machine: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Give a run of setup.sh that has come to the installation of packages."""
    process = start(machine)
    wait_for(machine / "busy")
    yield process
    kill(process, signal.SIGKILL)


def start(machine: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
        "SETUP_POLICY": str(machine / "policy-rc.d"),
        "SETUP_BUSY": str(machine / "busy"),
    }
    return subprocess.Popen(
        ["bash", str(machine / "tests" / "gates" / "setup.sh")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not come"
        time.sleep(0.01)


def kill(process: subprocess.Popen[bytes], number: int) -> None:
    """End a run and the commands that it has started, as a terminal that closes does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(PATIENCE)


def test_services_are_forbidden_while_packages_come(machine: Path, installing: subprocess.Popen[bytes]) -> None:
    policy = machine / "policy-rc.d"
    assert installing.poll() is None
    assert subprocess.run([policy, "postfix", "start"], check=False).returncode == 101


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_leaves_no_policy_behind(
    machine: Path, installing: subprocess.Popen[bytes], number: int
) -> None:
    kill(installing, number)
    assert not (machine / "policy-rc.d").exists()


def test_the_run_after_one_that_was_killed_removes_what_it_left(
    machine: Path, installing: subprocess.Popen[bytes]
) -> None:
    policy = machine / "policy-rc.d"
    kill(installing, signal.SIGKILL)
    left = policy.read_text(encoding="utf-8")
    (machine / "busy").unlink()
    following = start(machine)
    wait_for(machine / "busy")
    assert policy.read_text(encoding="utf-8") != left
    kill(following, signal.SIGTERM)
    assert not policy.exists()


def test_a_policy_of_somebody_else_stays(machine: Path) -> None:
    policy = machine / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    process = start(machine)
    wait_for(machine / "busy")
    kill(process, signal.SIGTERM)
    assert policy.read_text(encoding="utf-8") == "#!/bin/sh\nexit 101\n"


def test_every_package_for_developers_is_pinned_by_its_contents() -> None:
    text = LOCKED.read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [
        line for line in lines if not re.fullmatch(r"\S+==\S+(?: ; [^-]+)?(?:\s+--hash=sha256:[0-9a-f]{64})+", line)
    ] == []
    wanted = (GATES / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split()[0].lower() for line in lines}
    assert {line.lower() for line in wanted if line and not line.startswith("#")} <= pinned


def test_no_address_of_a_package_index_stands_in_the_list() -> None:
    assert "://" not in LOCKED.read_text(encoding="utf-8")
