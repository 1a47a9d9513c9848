# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the documentation: every task on a page runs, against real servers.

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from example_play import failures_of, run_examples
from receiving_postfix import Postfix

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def tasks_of(document: str) -> str:
    """Give all tasks that a page shows, in its order; a play or a split map is no list of tasks."""
    blocks = BLOCK.findall((ROOT / "docs" / f"{document}.md").read_text(encoding="utf-8"))
    return "\n".join(block for block in blocks if block.startswith("- name:") and "hosts:" not in block.splitlines()[1])


DOCUMENTS = sorted(path.stem for path in (ROOT / "docs").glob("*.md") if tasks_of(path.stem))


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_task_of_a_page_runs(document: str, places: dict[str, str], managed: Postfix, tmp_path: Path) -> None:
    """Each page tells one story, so its tasks run one after the other."""
    report = run_examples(tasks_of(document), places, tmp_path, managed.config)
    assert failures_of(report) == []
    # A role has tasks of its own.
    assert report["stats"]["localhost"]["ok"] >= len(yaml.safe_load(tasks_of(document)))
