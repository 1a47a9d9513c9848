# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of recipient_routes with directories from files on the controller, as a playbook uses it.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playbook_run import run_tasks
from split_server import SplitServer


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "all.csv").write_text("address,site,name\nann@example.com,hq,Ann\nbob@example.com,cloud,Bob\n")
    (tmp_path / "more.csv").write_text('Site;x,address\n"cloud",Cyd@EXAMPLE.com\n'.replace(";x", ""))
    (tmp_path / "own.csv").write_text("address\ndan@example.com\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "beside.csv").write_text("address,site\neve@example.com,hq\n")
    return tmp_path


def test_directories_from_files_become_routes(server: SplitServer, files: Path) -> None:
    base: dict[str, Any] = {
        "domain": "example.com",
        "sites": {"hq": "local", "cloud": {"host": "198.51.100.20", "port": 26}},
        "config_directory": str(server.config),
    }

    def task(**options: Any) -> dict[str, Any]:
        extra = {key: options.pop(key) for key in ("check_mode", "diff") if key in options}
        return {"mailops.split_domain.recipient_routes": {**base, **options}, **extra}

    one, again, several, foretold, exact, beside, absent = run_tasks(
        files,
        [
            task(src="all.csv"),
            task(src=["all.csv"]),
            task(src=["all.csv", "more.csv", "own.csv"], site="hq"),
            task(src="all.csv", state="exact", check_mode=True, diff=True),
            task(src=str(files / "all.csv"), state="exact", diff=True),
            task(src="beside.csv", state="present"),
            task(src="all.csv", state="absent"),
        ],
    )
    assert one["counts"] == {"before": 0, "after": 2, "added": 2, "changed": 0, "removed": 0}
    assert not again["changed"]
    assert several["counts"] == {"before": 2, "after": 4, "added": 2, "changed": 0, "removed": 0}
    assert {entry["address"]: entry["after"] for entry in several["changes"]} == {
        "cyd@example.com": "relay:[198.51.100.20]:26",
        "dan@example.com": "lmtp:unix:private/mailboxes",
    }
    assert exact["counts"]["removed"] == 2
    assert {key: foretold[key] for key in ("changed", "counts", "changes", "diff")} == {
        key: exact[key] for key in ("changed", "counts", "changes", "diff")
    }
    assert beside["counts"]["added"] == 1
    assert absent["counts"] == {"before": 3, "after": 1, "added": 0, "changed": 0, "removed": 2}
    assert server.lookup(f"lmdb:{server.ours}/routes", "eve@example.com") == "lmtp:unix:private/mailboxes"
