# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that no result of postfix_map shows a password: in arguments, changes, diff and refusals, however it is given.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from postfix_instance import Instance

S = "S3cr3tKanarie"


@pytest.fixture
def path(instance: Instance) -> Path:
    return instance.config / "sasl_passwd"


@pytest.mark.parametrize(
    "arguments",
    [
        {"secret": True, "content": f"[h.example.net]:587\n\tu:{S}\n"},
        {"secret": True, "entries": {f"u:{S}": "[h.example.net]:587"}},
        {"mode": "0600", "entries": {"[h.example.net]:587": f"u:{S}"}},
        {"mode": "0600", "content": f"[h.example.net]:587 u:{S}\n"},
    ],
)
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_a_run_that_goes_well_shows_nothing_of_it(
    instance: Instance, path: Path, arguments: dict[str, Any], check: bool
) -> None:
    result = instance.map(path=str(path), check=check, **arguments)
    assert result["changed"] and S not in str(result)


def test_a_table_that_is_secret_by_its_rights_stays_so_by_whatever_task_it_is_changed(
    instance: Instance, path: Path
) -> None:
    instance.map(path=str(path), secret=True, entries={"[h.example.net]:587": f"u:{S}"})
    for arguments in ({"entries": {"[h.example.net]:587": f"u:x{S}"}}, {"content": f"[h.example.net]:587 u:y{S}\n"}):
        result = instance.map(path=str(path), **arguments)
        assert result["changed"] and S not in str(result)
        assert [one["key"] for one in result["changes"]] == ["[h.example.net]:587"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"secrets": True, "entries": {"h": f"u:{S}"}},
        {"secret": "ja", "entries": {"h": f"u:{S}"}},
        {"secret": True, "entries": {f"h u:{S}": "x"}},
        {"secret": True, "entries": [f"h u:{S}"]},
        {"secret": True, "content": f" h u:{S}\n"},
        {"secret": True, "content": f"h: u:{S}\nx"},
        {"secret": True, "type": "nosuch", "content": f"/^ h u$/ u:{S}\n"},
        {"mode": 600, "entries": {"h": f"u:{S}"}},
    ],
)
def test_a_refusal_shows_nothing_of_it(instance: Instance, path: Path, arguments: dict[str, Any]) -> None:
    result = instance.run("postfix_map", path=str(path), **arguments)
    assert result["failed"] and "invocation" in result and S not in str(result)
