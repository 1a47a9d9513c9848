# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A new main.cf: tried out aside, then put in place in one step. Private to this collection.

from __future__ import annotations

import re
import shutil
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    open_folder,
    open_place,
    replace_file,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import scratch_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    distinct_lines,
    read_text_file,
    run,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import Due, note_due

# Every Postfix process waits up to two seconds for a main.cf that was written just now, lest it read half of one. Ours
# comes in one step; with this age in seconds nobody waits, and a reload takes effect at once.
_AGE_OF_A_FINISHED_FILE = 3
_UNUSED = re.compile(r"unused parameter: ([^=\s]+)=")
_LINE_NUMBER = re.compile(r", line \d+")


def check_staged(server: PostfixServer, new: MainCf, allow_unused: Container[str] = ()) -> tuple[str, ...]:
    """Let Postfix check ``new`` in a directory aside, and return the warnings that the present main.cf does not give.

    Raises InvalidInput, with what Postfix says, when it refuses the text, and when the text sets a parameter that
    neither Postfix nor any value of main.cf or master.cf knows, unless ``allow_unused`` has its name.

    ``postfix check`` finds broken syntax and bad values of those parameters that all of Postfix reads; what only one
    daemon reads, it does not see: ``parameter_values`` looks at some of that. Nothing outside of the directory is
    touched: the queue and data directories of the staged configuration are in it too, since ``postfix check`` creates
    what is missing there.
    """
    with open_folder(Path(server.config_directory)) as folder, scratch_folder(folder, "check") as directory:
        config = directory / "config"
        for name in ("config", "queue", "data"):
            (directory / name).mkdir(mode=0o755)
        # Else Postfix says in the server's own log that the data directory is not its own.
        with suppress(OSError, LookupError):
            shutil.chown(directory / "data", server.parameters.get("mail_owner", "postfix"))
        staged = new.with_value("queue_directory", f"{directory}/queue").with_value(
            "data_directory", f"{directory}/data"
        )
        replace_file(config / "main.cf", staged.text, FileRights(mode=0o644), age=_AGE_OF_A_FINISHED_FILE)
        master = read_text_file(Path(server.config_directory) / "master.cf")
        if master is not None:
            replace_file(config / "master.cf", master, FileRights(mode=0o644))
        read = run(["postconf"], str(config))
        checked = run(["postfix", "check"], str(config), terminal=True) if read.status == 0 else read
        said = _lines(checked.stderr, str(config), server.config_directory)
        if checked.status != 0:
            raise InvalidInput(f"Postfix refuses the new {server.main_cf_path}: {_reasons(said)}; nothing was written.")
        known = {_LINE_NUMBER.sub("", line) for line in server.warnings}
        warnings = tuple(
            line
            for line in _lines(read.stderr, str(config), server.config_directory)
            if _LINE_NUMBER.sub("", line) not in known
        )
    for line in warnings:
        unused = _UNUSED.search(line)
        if unused and unused.group(1) not in allow_unused:
            raise InvalidInput(
                f"Postfix {server.mail_version} has no parameter {unused.group(1)}, and no value of main.cf or "
                "master.cf refers to it: correct its name, or allow unknown parameters."
            )
    return warnings


@dataclass(frozen=True)
class WriteMainCf:
    """Put a main.cf that Postfix has checked in place, and note what a running Postfix needs to take it in."""

    server: PostfixServer
    main_cf: MainCf
    due: Due = Due.RELOAD

    def apply(self) -> None:
        """Replace the file."""
        replace_main_cf(self.server, self.main_cf, self.due)


def replace_main_cf(server: PostfixServer, new: MainCf, due: Due) -> bool:
    """Put ``new`` in the place of main.cf in one step, with its owner and mode; return whether it differs.

    ``due`` is noted first, so that the reload is made up for by the next run when this one is killed in between.
    Raises ServerStateError when the file is no longer the one that ``server`` was read from.
    """
    path = Path(server.config_directory) / "main.cf"
    with writing(path), open_place(path) as place:
        found = place.read()
        if found is None or found.text != server.main_cf.text:
            raise ServerStateError(f"The file {place.path} was changed by somebody else meanwhile: run again.")
        if new.text == server.main_cf.text:
            return False
        note_due(server.config_directory, due)
        place.folder.replace(place.name, new.text, found.attributes, age=_AGE_OF_A_FINISHED_FILE)
    return True


def _lines(text: str, staged_directory: str, real_directory: str) -> tuple[str, ...]:
    """Return the lines that Postfix said, as it would have said them of the real directory."""
    return distinct_lines(text.replace(staged_directory, real_directory))


def _reasons(said: tuple[str, ...]) -> str:
    """Return the first errors among the lines, or the first lines when none is an error."""
    errors = [line for line in said if line.startswith(("fatal: ", "error: "))]
    return "; ".join((errors or list(said) or ["it says no reason"])[:3])
