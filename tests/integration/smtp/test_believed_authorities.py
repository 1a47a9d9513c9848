# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of whose certificates a Postfix server is taken to believe: main.cf, and what master.cf says for relays.

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.tls_authorities import (
    read_authorities,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import Authorities

MAIN = "compatibility_level = 3.6\nmine = /etc/mine.pem\nsmtp_tls_CAfile = /etc/all.pem\n"
RELAY = "relay unix - - n - - smtp\n"


@pytest.mark.parametrize(
    ("master_cf", "believed"),
    [
        (None, Authorities("/etc/all.pem", None, False, (), "")),
        (RELAY, Authorities("/etc/all.pem", None, False, (), "")),
        (f"{RELAY} -o smtp_tls_CAfile=$mine\n", Authorities("/etc/mine.pem", None, False, (), "")),
        (f"{RELAY} -o smtp_tls_CAfile= -o tls_append_default_CA=yes\n", Authorities(None, None, True, (), "")),
        (
            f"{RELAY} -o {{ smtp_tls_trust_anchor_file = /a, /b }} -o smtp_tls_servername=hostname\n",
            Authorities("/etc/all.pem", None, False, ("/a", "/b"), "hostname"),
        ),
        # Relays are never reached by this one.
        (
            f"{RELAY}smtp unix - - n - - smtp -o smtp_tls_CAfile=$mine\n",
            Authorities("/etc/all.pem", None, False, (), ""),
        ),
    ],
)
def test_what_master_cf_says_for_relays_counts_before_main_cf(
    tmp_path: Path, master_cf: str | None, believed: Authorities
) -> None:
    (tmp_path / "main.cf").write_text(MAIN)
    if master_cf is not None:
        (tmp_path / "master.cf").write_text(master_cf)
    assert read_authorities(str(tmp_path)) == believed
