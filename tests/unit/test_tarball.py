# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What users get: the tarball has all that its roles and modules need, and nothing that only developers need.

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOR_USERS = {
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}
MOST_BYTES = 600_000


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the tarball that ansible-galaxy makes of the checkout."""
    folder = tmp_path_factory.mktemp("tarball")
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    command = [galaxy, "collection", "build", "--output-path", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = folder.glob("*.tar.gz")
    return made


def test_users_get_what_they_use_and_no_more(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        assert {member.name.split("/")[0] for member in archive} == FOR_USERS
    assert tarball.stat().st_size < MOST_BYTES


def test_every_file_of_plugins_roles_playbooks_and_docs_is_in_the_tarball(
    tarball: Path, project_files: list[Path]
) -> None:
    with tarfile.open(tarball) as archive:
        inside = set(archive.getnames())
    outside = {path.relative_to(ROOT).as_posix() for path in project_files} - inside
    assert [name for name in sorted(outside) if name.split("/")[0] in FOR_USERS] == []
