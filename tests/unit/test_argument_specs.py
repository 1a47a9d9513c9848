# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the roles' argument specs: what they promise as defaults is what the roles use, and nothing is left unsaid.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).resolve().parents[2] / "roles").iterdir() if path.is_dir())


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def specified(role: Path) -> dict[str, dict[str, Any]]:
    return dict(read(role / "meta" / "argument_specs.yml")["argument_specs"]["main"].get("options", {}))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_default_of_a_role_is_the_one_that_its_argument_spec_tells(role: Path) -> None:
    promised = {name: option["default"] for name, option in specified(role).items() if "default" in option}
    assert promised == (read(role / "defaults" / "main.yml") or {})


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_of_a_role_has_a_type_and_is_described(role: Path) -> None:
    undescribed = [
        name for name, option in specified(role).items() if not option.get("description") or "type" not in option
    ]
    assert undescribed == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_of_a_role_bears_the_role_or_the_split_map_in_its_name(role: Path) -> None:
    strangers = [name for name in specified(role) if not name.startswith((f"{role.name}_", "split_domain"))]
    assert strangers == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_role_has_a_readme_that_names_all_its_options(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in specified(role) if name not in text] == []
