# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of who can read what stands on a server: Postfix's daemons can, other users of the server cannot.

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from split_network import Network
from split_server import SplitServer, configured_server

CLOUD: dict[str, Any] = {
    "site": "cloud",
    "relay": {"host": "198.51.100.20", "tls": "encrypt", "username": "hq"},
    "clients": ["198.51.100.20"],
}
DOMAIN = {"domain": "example.com", "unknown": "cloud", "peers": [CLOUD]}
PASSWORDS = [{"host": "198.51.100.20", "password": "a-secret-word"}]
ROUTES = [{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": "198.51.100.20"}]
POSTFIX = pwd.getpwnam("postfix")
OF_ROOT_ALONE = {"settings.json", "main_cf.json", "passwords", "passwords.lmdb"}


@pytest.fixture(scope="module")
def set_up(network: Network) -> Iterator[SplitServer]:
    with configured_server(network, "hq") as server:
        server.main_cf.chmod(0o640)
        server.start()
        server.routes("example.com", state="exact", routes=ROUTES)
        server.split(DOMAIN, passwords=PASSWORDS)
        yield server


def read_as(user: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user with that user's groups."""
    return subprocess.run(
        ["runuser", "-u", user, "--", *command], capture_output=True, text=True, check=False, errors="replace"
    )


def test_files_are_for_root_and_the_group_of_postfix_at_most(set_up: SplitServer) -> None:
    found = {path.name: path.stat() for path in set_up.ours.iterdir()}
    assert found.keys() >= OF_ROOT_ALONE and {"routes", "mail_domains", "peers", "mail_domains.lmdb"} <= found.keys()
    for name, status in found.items():
        assert status.st_uid == 0, name
        if name in OF_ROOT_ALONE:
            assert stat.S_IMODE(status.st_mode) == 0o600, name
        else:
            assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, POSTFIX.pw_gid), name
    folder = set_up.ours.stat()
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid, folder.st_gid) == (0o750, 0, POSTFIX.pw_gid)


def test_nobody_can_read_any_of_them(set_up: SplitServer) -> None:
    assert read_as("nobody", "ls", str(set_up.ours)).returncode != 0
    for path in set_up.ours.iterdir():
        assert "Permission denied" in read_as("nobody", "cat", str(path)).stderr, path


def test_a_daemon_without_rights_can_read_the_tables_and_no_secret(set_up: SplitServer) -> None:
    """Daemons that open a table late, such as proxymap(8), are Postfix's own user by then."""
    for path in set_up.ours.iterdir():
        assert (read_as("postfix", "cat", str(path)).returncode == 0) == (path.name not in OF_ROOT_ALONE), path
    asked = ["postmap", "-c", str(set_up.config), "-q", "ann@example.com", f"lmdb:{set_up.ours}/routes"]
    set_up.main_cf.chmod(0o644)
    assert read_as("postfix", *asked).stdout == "lmtp:unix:private/mailboxes\n"
    assert read_as("nobody", *asked).stdout == ""
    set_up.main_cf.chmod(0o640)


@pytest.mark.parametrize("by_proxy", [False, True], ids=["opened by each daemon", "opened by proxymap"])
def test_the_server_answers_as_the_tables_say(set_up: SplitServer, by_proxy: bool) -> None:
    main_cf = set_up.main_cf.read_text()
    if by_proxy:
        tables = [f"lmdb:{set_up.ours}/{name}" for name in ("routes", "mail_domains")]
        for table in tables:
            main_cf_by_proxy = set_up.main_cf.read_text().replace(table, f"proxy:{table}")
            set_up.main_cf.write_text(main_cf_by_proxy)
        listed = " ".join(f"proxy:{table}" for table in tables)
        set_up.define(f"proxy_read_maps = proxy:unix:passwd.byname {listed}")
    set_up.restart()
    try:
        assert set_up.ask("bob@example.com").code == 250
        assert set_up.ask("ann@example.com").code == 250
        assert set_up.ask("carl@example.net").code == 250
        # Asked ahead at a site that is not there.
        assert set_up.ask("unknown@example.com").code == 450
        assert "Permission denied" not in set_up.log() and "fatal" not in set_up.log()
    finally:
        set_up.main_cf.write_text(main_cf)
        set_up.restart()


def test_an_earlier_set_up_that_everybody_could_read_is_closed(set_up: SplitServer) -> None:
    set_up.ours.chmod(0o755)
    for path in (set_up.ours, *set_up.ours.iterdir()):
        os.chown(path, 0, 0)
        if path.is_file() and not path.name.startswith("passwords"):
            path.chmod(0o644)
    times = set_up.times()
    for check in (True, False):
        told = [
            set_up.routes("example.com", check, state="exact", routes=ROUTES),
            set_up.split(DOMAIN, passwords=PASSWORDS, check=check),
        ]
        assert [one["changed"] for one in told] == [True, True]
        assert "mode 0755, owner 0, group 0" in str(told[check]["diff"]) or not check
    assert not set_up.routes("example.com", state="exact", routes=ROUTES)["changed"]
    assert not set_up.split(DOMAIN, passwords=PASSWORDS)["changed"]
    test_files_are_for_root_and_the_group_of_postfix_at_most(set_up)
    # No index was built anew for it.
    assert {name: time for name, time in set_up.times().items() if name.endswith(".lmdb")} == {
        name: time for name, time in times.items() if name.endswith(".lmdb")
    }
