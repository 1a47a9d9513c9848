# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of where a key comes from: options or environment, never both, and of who else can read a key file.

from __future__ import annotations

import base64
import grp
import os
import pwd
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import key_options, signing_key

SECRET = base64.b64encode(b"secret-" * 10).decode()
OTHER = base64.b64encode(b"other-other-other").decode()
NOTHING = {"key_name": None, "key_secret": None, "key_algorithm": None, "key_file": None}
VARIABLES = {
    "SPLIT_DOMAIN_DNS_KEY_NAME": "of-environment",
    "SPLIT_DOMAIN_DNS_KEY_SECRET": OTHER,
    "SPLIT_DOMAIN_DNS_KEY_ALGORITHM": "hmac-sha512",
}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "update.key"
    path.write_text(f'key "of-file" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    path.chmod(0o600)
    return path


def test_without_options_the_environment_names_the_key() -> None:
    key = signing_key(key_options(NOTHING, VARIABLES))
    assert key is not None
    assert (key.name, key.algorithm, key.secret) == ("of-environment", "hmac-sha512", b"other-other-other")


def test_the_environment_may_name_a_key_file(key_file: Path) -> None:
    key = signing_key(key_options(NOTHING, {"SPLIT_DOMAIN_DNS_KEY_FILE": str(key_file)}))
    assert key is not None and key.name == "of-file"


def test_a_key_of_options_takes_nothing_from_the_environment(key_file: Path) -> None:
    of_file = signing_key(key_options({**NOTHING, "key_file": str(key_file)}, VARIABLES))
    assert of_file is not None and of_file.secret == b"secret-" * 10
    of_options = {**NOTHING, "key_name": "of-options", "key_secret": SECRET}
    of_both = signing_key(key_options(of_options, {**VARIABLES, "SPLIT_DOMAIN_DNS_KEY_FILE": str(key_file)}))
    assert of_both is not None and (of_both.name, of_both.algorithm) == ("of-options", "hmac-sha256")


@pytest.mark.parametrize(
    ("option", "value"), [("key_name", "a"), ("key_secret", SECRET), ("key_algorithm", "hmac-sha256")]
)
def test_half_a_key_is_not_made_whole_by_the_environment(option: str, value: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{option} is given without key_"):
        signing_key(key_options({**NOTHING, option: value}, VARIABLES))


@given(some.sets(some.sampled_from(sorted(VARIABLES))))
def test_half_a_key_in_the_environment_is_told_by_the_names_of_its_variables(missing: set[str]) -> None:
    options = key_options(NOTHING, {name: value for name, value in VARIABLES.items() if name not in missing})
    if missing == set(VARIABLES):
        assert signing_key(options) is None
    elif missing <= {"SPLIT_DOMAIN_DNS_KEY_ALGORITHM"}:
        assert signing_key(options) is not None
    else:
        with pytest.raises(InvalidInput, match=r"^SPLIT_DOMAIN_DNS_KEY_\w+ is given without SPLIT_DOMAIN_DNS_KEY_"):
            signing_key(options)


def test_an_empty_variable_is_none() -> None:
    assert signing_key(key_options(NOTHING, dict.fromkeys(VARIABLES, ""))) is None


def test_a_file_and_a_secret_in_the_environment_contradict_each_other(key_file: Path) -> None:
    with pytest.raises(InvalidInput, match="SPLIT_DOMAIN_DNS_KEY_FILE and SPLIT_DOMAIN_DNS_KEY_SECRET"):
        signing_key(key_options(NOTHING, {**VARIABLES, "SPLIT_DOMAIN_DNS_KEY_FILE": str(key_file)}))


def test_the_secret_of_the_environment_is_not_shown() -> None:
    assert OTHER not in repr(key_options(NOTHING, VARIABLES))
    with pytest.raises(InvalidInput) as caught:
        signing_key(key_options(NOTHING, {**VARIABLES, "SPLIT_DOMAIN_DNS_KEY_SECRET": "no base64!"}))
    assert "no base64!" not in str(caught.value) and "SPLIT_DOMAIN_DNS_KEY_SECRET" in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o664, 0o602, 0o777])
def test_a_key_file_that_everybody_can_read_or_write_is_refused_with_the_cure(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(InvalidInput, match=f"every user of this host.*{mode:04o}.*chmod 600 {key_file}"):
        signing_key(key_options({**NOTHING, "key_file": str(key_file)}, {}))


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_key_file_of_its_owner_alone_is_taken_without_a_word(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    key = signing_key(key_options({**NOTHING, "key_file": str(key_file)}, {}))
    assert key is not None and key.warnings == ()


AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


@AS_ROOT
@pytest.mark.parametrize(
    ("owner", "group", "mode", "outcome"),
    [
        ("bind", "bind", 0o640, "taken"),
        ("root", "root", 0o640, "taken"),
        ("root", "bind", 0o640, "warned"),
        ("root", "bind", 0o660, "refused"),
        ("daemon", "bind", 0o640, "refused"),
        ("root", "mail", 0o640, "refused"),
    ],
)
def test_a_group_may_read_a_key_file_where_it_is_the_owners_own_or_the_name_servers(
    key_file: Path, owner: str, group: str, mode: int, outcome: str
) -> None:
    os.chown(key_file, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
    key_file.chmod(mode)
    options = key_options({**NOTHING, "key_file": str(key_file)}, {})
    if outcome == "refused":
        with pytest.raises(InvalidInput, match=f"the group {group}.*chmod 600"):
            signing_key(options)
    else:
        key = signing_key(options)
        assert key is not None
        assert [f"the group {group}" in warning for warning in key.warnings] == [True] * (outcome == "warned")


@AS_ROOT
def test_an_owner_and_a_group_without_names_are_told_by_number(key_file: Path) -> None:
    os.chown(key_file, 54321, 54321)
    key_file.chmod(0o640)
    with pytest.raises(InvalidInput, match=r"\(group 54321\)"):
        signing_key(key_options({**NOTHING, "key_file": str(key_file)}, {}))


@AS_ROOT
def test_a_link_of_somebody_else_is_not_followed_and_a_fifo_not_waited_for(key_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(key_file)
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(InvalidInput, match="is a symbolic link and is not followed"):
        signing_key(key_options({**NOTHING, "key_file": str(link)}, {}))
    os.mkfifo(tmp_path / "fifo.key", 0o600)
    with pytest.raises(InvalidInput, match="is a FIFO, where a file has to be"):
        signing_key(key_options({**NOTHING, "key_file": str(tmp_path / "fifo.key")}, {}))


def test_a_link_is_judged_by_the_file_that_it_leads_to(key_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(key_file)
    assert stat.S_IMODE(link.lstat().st_mode) == 0o777
    assert signing_key(key_options({**NOTHING, "key_file": str(link)}, {})) is not None
