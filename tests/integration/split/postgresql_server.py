# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A PostgreSQL of the tests' own with the users of a mail server in it, reached by a socket below its directory alone.

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = secrets.token_hex(16)
# What the package creates: initdb and postgres do not run as root.
_USER = "postgres"
_SCHEMA = f"""
CREATE ROLE mail LOGIN PASSWORD '{PASSWORD}';
CREATE TABLE domains (name text PRIMARY KEY);
CREATE TABLE mailboxes (address text PRIMARY KEY, path text NOT NULL);
CREATE TABLE aliases (address text PRIMARY KEY, target text NOT NULL);
GRANT SELECT ON domains, mailboxes, aliases TO mail;
"""


def _programs() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    assert versions, "the package postgresql is not installed"
    return versions[-1].parent


@dataclass(frozen=True)
class Database:
    """A PostgreSQL server below a directory."""

    directory: Path

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self.directory / "log"), "start")

    def stop(self) -> None:
        """Stop it if it runs, and break all connections."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "fast", "stop")

    def execute(self, statements: str) -> str:
        """Run SQL as the owner of the database."""
        arguments = ("-v", "ON_ERROR_STOP=1", "-qAt", "-h", str(self.directory), "-d", "postgres", "-f", "-")
        return self._run("psql", *arguments, stdin=statements)

    def table(self, query: str) -> str:
        """Give the text of a configuration file for pgsql_table(5)."""
        return (
            f"hosts = unix:{self.directory}\nuser = mail\npassword = {PASSWORD}\ndbname = postgres\nquery = {query}\n"
        )

    def create(self) -> None:
        """Make an empty database, reached by a password."""
        password_file = self.directory / "owner"
        password_file.write_text("owner\n")
        arguments = ("--username=postgres", "--auth-local=scram-sha-256", f"--pwfile={password_file}", "--no-sync")
        self._run("initdb", "-D", str(self._data), *arguments)
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{self.directory}'\nfsync = off\n")

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        user = pwd.getpwnam(_USER)
        command = [str(_programs() / program), *arguments]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGPASSWORD": "owner", "PGUSER": "postgres"}
        with tempfile.TemporaryFile("w+") as said:
            # Into a file: the server keeps its standard output open.
            done = subprocess.run(
                command,
                input=stdin,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                env=environment,
                cwd="/",
            )
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, f"{' '.join(command)}: {text}"
        return text


@contextmanager
def database() -> Iterator[Database]:
    """Give a running database with the tables of a mail server, and take it down afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="split-sql-"))
    directory.chmod(0o755)
    user = pwd.getpwnam(_USER)
    os.chown(directory, user.pw_uid, user.pw_gid)
    made = Database(directory)
    try:
        made.create()
        made.start()
        made.execute(_SCHEMA)
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)
