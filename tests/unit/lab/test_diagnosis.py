# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what the laboratory says of a host that does not boot.

from __future__ import annotations

import ctypes
import os

from laboratory import diagnosis


def test_instances_of_inotify_are_counted_and_a_shortage_is_told_with_the_cure(tmp_path, monkeypatch):
    before = diagnosis.inotify_instances()
    mine = [ctypes.CDLL(None).inotify_init() for _each in range(30)]
    try:
        assert min(mine) >= 0
        used = diagnosis.inotify_instances()
        # Other processes come and go meanwhile.
        assert used > before + 10
        limit = tmp_path / "limit"
        monkeypatch.setattr(diagnosis, "INOTIFY_LIMIT", limit)
        limit.write_text(f"{used + 1}\n")
        told = diagnosis.inotify_shortage()
        assert "fs.inotify.max_user_instances" in told and "sysctl" in told and str(used + 1) in told
        limit.write_text(f"{used + 1000}\n")
        assert diagnosis.inotify_shortage() == ""
    finally:
        for descriptor in mine:
            os.close(descriptor)
