# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whole runs of ansible-playbook on the laboratory's servers, timed in turns.

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

COLLECTION = Path(__file__).resolve().parents[2]
INVENTORY = COLLECTION / ".build" / "lab" / "inventory.yml"
ROUNDS = 5

Row = dict[str, object]


def row(name: str, ours: float, reference: str, theirs: float, limit: float | None) -> Row:
    """Give one line of the table: a limit of None marks a comparison that is shown and has no bound."""
    return {
        "name": name,
        "ours_s": round(ours, 3),
        "reference": reference,
        "reference_s": round(theirs, 3),
        "ratio": round(ours / theirs, 3),
        "limit": limit,
    }


def bring_up_lab() -> None:
    """Bring the laboratory up, where it does not stand already."""
    subprocess.run([sys.executable, COLLECTION / "tests/lab/lab.py", "up"], check=True, stdout=subprocess.DEVNULL)


def best_of(rounds: int, contestants: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Let all contestants run in turns, and give the best time of each in seconds.

    The best, because whatever else the machine does can only make a run longer.
    """
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for _round in range(rounds):
        for name, run in contestants.items():
            took[name].append(run())
    return {name: min(times) for name, times in took.items()}


def seconds_of_play(play: dict[str, Any], changed: bool | None) -> float:
    """Run a play on the laboratory and give the seconds that ``ansible-playbook`` took.

    Raises RuntimeError when it fails, or when it did not do what it is measured for; ``changed`` None takes either.
    """
    with tempfile.TemporaryDirectory() as folder:
        playbook = Path(folder) / "play.yml"
        playbook.write_text(json.dumps([{"gather_facts": False, **play}]), encoding="utf-8")
        return seconds_of_playbook([str(playbook)], changed)


def seconds_of_playbook(arguments: list[str], changed: bool | None) -> float:
    """Run ``ansible-playbook`` with these arguments on the laboratory and give the seconds that it took.

    Raises RuntimeError when it fails, or when it did not do what it is measured for; ``changed`` None takes either.
    """
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(INVENTORY), *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "ANSIBLE_NOCOLOR": "1"}
    )
    took = time.perf_counter() - started
    recap = done.stdout.partition("PLAY RECAP")[2]
    did_change = any(f"changed={count}" in recap for count in range(1, 100))
    if done.returncode != 0 or changed not in (None, did_change):
        raise RuntimeError(
            f"{' '.join(command)} did not do what it is measured for:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
        )
    return took
