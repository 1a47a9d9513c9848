# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of which tables hold secrets, by a word, a mode or the file that is there, and of what is hidden of them then.

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import as_written, without_secrets
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.secret_tables import (
    secrets_of_table,
)

S = "S3cr3tKanarie"
WRITTEN: list[dict[str, Any]] = [
    {"entries": {"[h]:25": f"u:{S}"}},
    {"entries": {"h": S}},
    {"entries": {"h": [f"u:{S}"]}},
    {"entries": {"h": {"password": S}}},
    {"entries": {f"u:{S}": "[h.example.net]:25"}},
    {"entries": {S: "[h.example.net]:25"}},
    {"entries": {f"h u:{S}": ""}},
    {"entries": [{"key": "[h]:25", "value": f"u:{S}"}]},
    {"entries": [{"key": f"h u:{S}", "value": "x"}]},
    {"entries": [{"key": "h", "valeu": S}]},
    {"entries": [{"key": ["h", S]}]},
    {"entries": [f"h u:{S}"]},
    {"entries": [["h", f"u:{S}"]]},
    {"entries": f"h u:{S}"},
    {"entries": json.dumps({"h": f"u:{S}"})},
    {"content": f"[h]:587\n\tu:{S}\n"},
    {"content": f"[h]:587\n# a comment\n\n  u:{S}"},
    {"content": f" h u:{S}\n"},
    {"content": f"# was u:{S}\n[h]:587 u:x\n"},
    {"content": f"/^ h u$/ u:{S}\n"},
    {"content": f"/^{S} u$/ x\n"},
    {"content": {"h": f"u:{S}"}},
    {"content": [f"h u:{S}"]},
]
SIGNS: list[dict[str, Any]] = [
    {"secret": True},
    {"secret": "yes"},
    {"secret": "ja"},
    {"secret": 1},
    {"secrets": True},
    {"secert": "true"},
    {"Secret": True},
    {"mode": "0600"},
    {"mode": "600"},
    {"mode": "0o400"},
    {"mode": 0o600},
    # None is one, so that it is refused.
    {"mode": 600},
    {"mode": "u=rw,go="},
]


def hidden(arguments: dict[str, Any]) -> set[str]:
    return as_written(text for texts in secrets_of_table(arguments).values() for text in texts)


def shown(arguments: dict[str, Any]) -> str:
    """Give arguments as a message repeats them, and as it repeats the parts of a text."""
    secrets = hidden(arguments)
    content = arguments.get("content")
    lines = content.splitlines() if isinstance(content, str) else []
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    return "\n".join(without_secrets(text, secrets) for text in (str(arguments), *words))


@pytest.mark.parametrize("sign", SIGNS, ids=str)
@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_all_of_a_secret_table_is_hidden_wherever_in_it_the_secret_stands(
    written: dict[str, Any], sign: dict[str, Any]
) -> None:
    assert S not in shown({"path": "/etc/postfix/x", **written, **sign})


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_table_that_only_its_owner_may_read_now_is_secret(tmp_path: Path, mode: int) -> None:
    table = tmp_path / "table"
    table.touch()
    table.chmod(mode)
    assert S not in shown({"path": str(table), "entries": {"h": S}, "mode": "0644", "secret": False})
    table.chmod(0o640)
    assert S in shown({"path": str(table), "entries": {"h": S}})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"secret": False},
        {"secret": "no"},
        {"secret": None},
        {"mode": "0640"},
        {"mode": 0o644},
        {"path": None},
        {"path": "a\0b"},
        {"path": "~nobody-has-this-name/x"},
        {"section": True},
    ],
)
def test_a_table_without_a_sign_is_none(more: dict[str, Any]) -> None:
    assert S in shown({"path": "/etc/postfix/x", "entries": {"h": S}, **more})


@pytest.mark.parametrize(
    "key",
    ["[h]:587", "[smtp.example.net]", "smtp.example.net:25", "[2001:db8::1]:25", "ann@example.com", "a@[192.0.2.1]"],
)
def test_the_places_that_logins_are_for_stay_readable(key: str) -> None:
    for written in ({"entries": {key: S}}, {"entries": [{"key": key, "value": S}]}, {"content": f"{key} {S}\n"}):
        assert key not in hidden({"secret": True, **written})
