# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Running Postfix's own commands and reading what they say about a server. Private to this collection.

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder, read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import (
    CommandFailed,
    MailServerMissing,
    ServerStateError,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import PATIENCE, locked
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf

DEFAULT_CONFIG_DIRECTORY = "/etc/postfix"
# Where Postfix's commands live: often not in the PATH of a remote shell without login.
_COMMAND_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind. ``status`` is negative when a signal ended it."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class PostfixServer:
    """One Postfix instance as it is configured now."""

    config_directory: str
    parameters: Mapping[str, str]
    """The effective value of every parameter, defaults included, as written: ``$name`` is not expanded."""
    main_cf: MainCf
    map_types: frozenset[str]
    """The types of lookup tables that this Postfix can use (``postconf -m``)."""
    warnings: tuple[str, ...] = ()
    """What Postfix itself says about this configuration, each sentence once."""

    @property
    def mail_version(self) -> str:
        """The version of Postfix, such as ``3.7.11``."""
        return self.parameters["mail_version"]

    @property
    def main_cf_path(self) -> Path:
        """Where main.cf stands, symbolic links resolved so that a link is not replaced by a file."""
        return Path(os.path.realpath(Path(self.config_directory) / "main.cf"))


def run(arguments: Sequence[str], config_directory: str, stdin: str = "", terminal: bool = False) -> CommandResult:
    """Run one of Postfix's commands on the instance in ``config_directory`` and return what it said.

    ``arguments`` begins with the command's name; ``-c config_directory`` is put after it. ``terminal`` gives it a
    terminal as standard error: postfix(1) tells its reasons only to one, and else only to syslog. Raises
    ServerStateError when the command is not there.
    """
    command = [arguments[0], "-c", config_directory, *arguments[1:]]
    environment = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:{_COMMAND_PATH}"}
    # A caller's MAIL_CONFIG would win over the default instance in the commands that Postfix starts itself.
    environment.pop("MAIL_CONFIG", None)
    try:
        if terminal:
            return _run_on_terminal(command, environment)
        done = subprocess.run(  # noqa: S603 - the commands are fixed, and no shell is involved
            command, input=os.fsencode(stdin), capture_output=True, check=False, env=environment, cwd="/"
        )
    except FileNotFoundError as error:
        raise MailServerMissing(
            f"Postfix is not installed on this server: there is no command {arguments[0]}; install Postfix first."
        ) from error
    return CommandResult(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def run_or_fail(arguments: Sequence[str], config_directory: str, stdin: str = "") -> CommandResult:
    """Run a command like ``run`` does; raises CommandFailed with what it said when its exit status is not 0."""
    result = run(arguments, config_directory, stdin)
    if result.status != 0:
        raise failure(arguments, config_directory, result)
    return result


def complains(result: CommandResult) -> bool:
    """Tell whether a command broke off, by what it said or by a signal.

    The exit status alone does not say: postmap(1) ends with status 1 also when a key is not there. Nor does a word on
    standard error, where every command repeats its warnings about main.cf.
    """
    return result.status not in (0, 1) or any(word in result.stderr for word in (": fatal: ", ": error: ", ": panic: "))


def failure(arguments: Sequence[str], config_directory: str, result: CommandResult) -> CommandFailed:
    """Return the error that tells that a command failed, with the first lines of what it said."""
    said = distinct_lines(result.stderr) or distinct_lines(result.stdout) or ("nothing",)
    ended = f"ended with status {result.status}" if result.status >= 0 else f"was ended by signal {-result.status}"
    command = " ".join([arguments[0], "-c", config_directory, *arguments[1:]])
    return CommandFailed(f"The command '{command}' {ended} and said: {'; '.join(said[:5])}")


def distinct_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a command's output, each once, without the path and name of the command in front of them."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(_without_program(line) for line in lines if line))


def read_server(config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> PostfixServer:
    """Read the configuration of a Postfix instance: main.cf, and two calls of postconf(1).

    Raises ServerStateError when Postfix or its main.cf is not there, CommandFailed when postconf cannot read it.
    """
    path = Path(config_directory) / "main.cf"
    listed = run(["postconf"], config_directory)
    text = read_text_file(path)
    if text is None:
        raise ServerStateError(
            f"Postfix has no configuration on this server: there is no file {path}; "
            "install Postfix, or name the right config_directory."
        )
    if listed.status != 0:
        raise failure(["postconf"], config_directory, listed)
    types = run_or_fail(["postconf", "-m"], config_directory).stdout.split()
    return PostfixServer(
        config_directory=config_directory,
        parameters=_parameters(listed.stdout),
        main_cf=MainCf(text),
        map_types=frozenset(types),
        warnings=distinct_lines(listed.stderr),
    )


def expanded(config_directory: str, names: Sequence[str]) -> dict[str, str]:
    """Return the values of parameters with every ``$name`` in them expanded (``postconf -x``)."""
    return _parameters(run_or_fail(["postconf", "-x", *names], config_directory).stdout)


def own_values(config_directory: str, service: str) -> dict[str, str]:
    """Return the values that master.cf gives a service such as ``relay/unix`` alone, expanded (``postconf -P``)."""
    # It fails where there is no master.cf, and then there is no service either.
    listed = _parameters(run(["postconf", "-x", "-P", service], config_directory).stdout)
    return {place.rpartition("/")[2]: value for place, value in listed.items()}


def read_defaults(config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> dict[str, str]:
    """Return the default of every parameter that this Postfix has (``postconf -d``)."""
    return _parameters(run_or_fail(["postconf", "-d"], config_directory).stdout)


def is_running(config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> bool:
    """Tell whether the instance's master process runs (``postfix status``)."""
    return run(["postfix", "status"], config_directory).status == 0


def read_text_file(path: Path) -> str | None:
    """Return the text of a file, bytes that are no UTF-8 included (as surrogates); None when there is none."""
    try:
        found = read_file(path)
        return None if found is None else found.text
    except OSError as error:
        raise file_unreadable(path, error) from error


def file_unreadable(path: Path, error: OSError) -> ServerStateError:
    """Return the error that tells that the system does not let a file be read."""
    return ServerStateError(f"The file {path} cannot be read: {error.strerror}; check its type and rights.")


@contextmanager
def server_lock(config_directory: str = DEFAULT_CONFIG_DIRECTORY, patience: float = PATIENCE) -> Iterator[None]:
    """Keep other runs of this collection out of an instance's configuration, from reading it to the reload.

    Raises ServerStateError when the directory is not there, and after ``patience`` seconds of another run.
    """
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(open_folder(Path(config_directory)))
        except FileNotFoundError as error:
            raise MailServerMissing(
                f"Postfix is not installed on this server, or not configured in {config_directory}, which does not "
                "exist; install Postfix first, or name the right config_directory."
            ) from error
        except OSError as error:
            raise ServerStateError(
                f"The Postfix configuration directory {config_directory} cannot be opened: {error.strerror}; "
                "install Postfix, or name the right config_directory."
            ) from error
        with locked(folder, patience):
            yield


def _parameters(listed: str) -> dict[str, str]:
    """Return the values that postconf(1) listed, by name."""
    found: dict[str, str] = {}
    for line in listed.split("\n"):
        name, equals, value = line.partition(" =")
        if equals:
            found[name] = value.strip()
    return found


def _run_on_terminal(command: Sequence[str], environment: Mapping[str, str]) -> CommandResult:
    """Run a command that says little, its standard output and error being a terminal of their own."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            process = subprocess.Popen(  # noqa: S603 - the commands are fixed, and no shell is involved
                command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, cwd="/"
            )
        finally:
            os.close(theirs)
        said = b""
        ended = False
        while not ended:
            # A daemon that the command started may keep the terminal open, so that the end is not seen on it.
            ended = process.poll() is not None
            while select.select([terminal], [], [], 0 if ended else 0.02)[0]:
                try:
                    chunk = terminal.read(4096)
                except OSError:
                    # How Linux tells that nobody has the other end open any more.
                    chunk = b""
                if not chunk:
                    process.wait()
                    ended = True
                    break
                said += chunk
        return CommandResult(process.wait(), "", os.fsdecode(said).replace("\r\n", "\n"))


def _without_program(line: str) -> str:
    program, colon, rest = line.partition(": ")
    if colon and program.startswith(("/usr/", "postconf", "postmap", "postfix", "postsuper", "postlog")):
        return rest
    return line
