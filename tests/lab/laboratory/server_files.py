# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The files of a server's /etc/postfix: as they are, so that a later state can be told from an earlier one.
"""Postfix's files on a host, to be compared over time."""

from __future__ import annotations

import json

from laboratory.podman import run_in

_TREE = r"""
import hashlib, json, os, stat, sys
found = {}
for folder, folders, files in os.walk("/etc/postfix"):
    for name in [*folders, *files]:
        path = os.path.join(folder, name)
        info = os.lstat(path)
        content = "a folder"
        if stat.S_ISLNK(info.st_mode):
            content = "a link to " + os.readlink(path)
        elif stat.S_ISREG(info.st_mode):
            with open(path, "rb") as stream:
                content = hashlib.sha256(stream.read()).hexdigest()
        found[path] = [content, f"{stat.S_IMODE(info.st_mode):o} {info.st_uid}:{info.st_gid}", info.st_mtime_ns]
json.dump(found, sys.stdout)
"""


def postfix_files(host: str, times: bool = False) -> dict[str, str]:
    """Give every path below /etc/postfix with a digest of its content, mode and owner; with ``times`` also its mtime.

    Empty where there is no Postfix.
    """
    found = json.loads(run_in(host, "python3", "-", data=_TREE.encode()).out)
    return {path: " ".join(map(str, entry if times else entry[:2])) for path, entry in found.items()}


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Give the paths that differ, each with what happened to it; empty when both are the same."""
    return [
        f"{path} is {'new' if path not in before else 'gone' if path not in after else 'different'}"
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
