# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reading files that others may have put there: nothing that hangs, and no more than a bound. Private.

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_MIB = 1 << 20


def read_regular_file(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Give the octets of a file and what it is, both of the one file that was opened; links are followed.

    A pipe, a device, a folder and a file of more than ``most`` octets are OSErrors: the first two might never end, and
    are not even waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        octets = bytearray()
        # A file may say that it is empty and go on for ever, as some do that the kernel makes.
        while len(octets) <= most and (chunk := opened.read(min(_MIB, most + 1 - len(octets)))):
            octets += chunk
    if len(octets) > most:
        size = f"{most // _MIB} MiB" if most >= _MIB else f"{most} bytes"
        raise OSError(errno.EFBIG, f"it has more than {size}, which is the most that is read here")
    return bytes(octets), status
