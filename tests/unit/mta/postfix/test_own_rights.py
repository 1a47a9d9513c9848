# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of who may read the tables of ours: the group of the user that Postfix's daemons run as, whoever that is.

from __future__ import annotations

import os
import pwd

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_files import own_rights

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to other groups")


@pytest.mark.parametrize("owner", ["daemon", "mail"])
def test_the_group_is_that_of_the_mail_owner(owner: str) -> None:
    rights = own_rights(PostfixServer("/etc/postfix", {"mail_owner": owner}, MainCf(""), frozenset()))
    assert (rights.mode, rights.owner, rights.group) == (0o640, 0, pwd.getpwnam(owner).pw_gid)


def test_without_that_user_nobody_but_root_reads_them() -> None:
    rights = own_rights(PostfixServer("/etc/postfix", {"mail_owner": "no-such-user"}, MainCf(""), frozenset()))
    assert (rights.mode, rights.owner, rights.group) == (0o640, 0, None)
