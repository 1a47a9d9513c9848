# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Finding the mail server of this machine by its MTA. Private.

from __future__ import annotations

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import MailServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.mail_server import PostfixMailServer

_SERVERS = {"auto": PostfixMailServer, "postfix": PostfixMailServer}
MTA_CHOICES = tuple(_SERVERS)


def open_mail_server(mta: str, config_directory: str) -> MailServer:
    """Give the server for an ``mta`` option: ``postfix``, or ``auto`` for the one that is there."""
    return _SERVERS[mta](config_directory)
