# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The server that loads a zone file: does it write the zone itself, and telling it. Private to this collection.

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import FilePlace, writing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    ServerNotTold,
    ZoneFileNotEditable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.check import environment

# Seconds after which a command that tells a server is ended.
_PATIENCE = 120
# Seconds until each repeated look at what the server has loaded; a large zone takes its time.
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 24.0)
_TOLD_LINES = 3


@dataclass(frozen=True)
class ServerOfFile:
    """The server that loads one zone from one file, and the command that makes it do so (empty: nobody is told)."""

    place: FilePlace
    zone: str
    reload_command: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Give the path of the zone file."""
        return self.place.path

    def check(self) -> None:
        """Raise InvalidInput where the command is not there."""
        if self.reload_command and shutil.which(self.reload_command[0], path=environment()["PATH"]) is None:
            raise InvalidInput(
                f"the reload_command {self.reload_command[0]!r} is not there on the host that runs the module: name "
                "the command of your server, or give an empty list and reload the zone yourself"
            )

    def refuse_dynamic(self) -> None:
        """Raise ZoneFileNotEditable where the server writes the file itself, so that a change would be lost.

        A journal alone is no proof, for BIND also keeps one of what changed in a file; rndc tells, where it is used.
        """
        status = self._status()
        if status is None:
            journal = self.path.with_name(f"{self.path.name}.jnl")
            if self.place.folder.status(journal.name) is not None:
                raise ZoneFileNotEditable(
                    f"the zone file {self.path} is not changed, because the journal {journal} beside it says that the "
                    f"zone {self.zone} is under dynamic update, and rndc does not answer whether it still is: name the "
                    "option server instead of zone_file, or remove a journal that is left over"
                )
            return
        kind = status.get("type", "primary")
        if kind not in ("primary", "master"):
            raise ZoneFileNotEditable(
                f"the zone file {self.path} is not changed, because the server has the zone {self.zone} as {kind} and "
                "writes the file itself: change it on its primary server"
            )
        if status.get("dynamic") == "yes":
            raise ZoneFileNotEditable(
                f"the zone file {self.path} is not changed, because the zone {self.zone} is under dynamic update, as "
                "rndc zonestatus says, and the server writes the file itself: name the option server instead of "
                "zone_file"
            )

    @property
    def is_due(self) -> bool:
        """Tell whether an earlier run wrote the file and could not tell the server."""
        return bool(self.reload_command) and self.place.folder.has_file(self._note.name)

    def note_due(self) -> None:
        """Note beside the zone file that the server is to be told, so that it is even if this run ends early."""
        if self.reload_command:
            with writing(self._note):
                self.place.folder.mark(self._note.name, mode=0o644)

    def forget_due(self) -> None:
        """Remove the note."""
        with writing(self._note):
            self.place.folder.remove(self._note.name)

    def tell(self, serial: int) -> None:
        """Tell the server to load the zone, and forget the note.

        Where the command is rndc, the serial that it has loaded then must be this one. Raises ServerNotTold, and
        keeps the note.
        """
        command = [*self.reload_command, self.zone]
        written = f"the zone file {self.path} is written with the serial {serial}"
        try:
            done = _run(command)
        except (OSError, subprocess.SubprocessError) as error:
            raise ServerNotTold(
                f"{written}, but the command {' '.join(command)!r} could not be carried out ({error}): cure that, and "
                "run the task again to tell the server"
            ) from error
        if done.returncode != 0:
            lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
            raise ServerNotTold(
                f"{written}, but the command {' '.join(command)!r} ended with status {done.returncode} and said: "
                f"{'; '.join(lines[:_TOLD_LINES]) or 'nothing'}: cure that, and run the task again to tell the server"
            )
        # BIND says so when it loads the zone later; otherwise it has done it when the command ends.
        self._confirm(serial, written, _PAUSES if "queued" in done.stdout else _PAUSES[:1])
        self.forget_due()

    def _confirm(self, serial: int, written: str, pauses: Sequence[float]) -> None:
        loaded = None
        for pause in pauses:
            time.sleep(pause)
            loaded = (self._status() or {}).get("serial")
            if loaded is None or loaded == str(serial):
                return
        raise ServerNotTold(
            f"{written}, and the server was told, but it still has the serial {loaded} of the zone {self.zone}: look "
            "into its log, see that it loads this file, and run the task again"
        )

    def _status(self) -> Optional[dict[str, str]]:
        """Give what ``rndc zonestatus`` tells, by name; None where it is not rndc that is used, or it does not tell."""
        command = self.reload_command
        if not command or Path(command[0]).name != "rndc" or command[-1] != "reload":
            return None
        try:
            done = _run([*command[:-1], "zonestatus", self.zone])
        except (OSError, subprocess.SubprocessError):
            return None
        if done.returncode != 0:
            return None
        return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.reload-pending")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the command of the user, and no shell is involved
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
        cwd="/",
        env=environment(),
        timeout=_PATIENCE,
    )
