# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: each module's work asks it. The mail server of this machine by its MTA. Private.

from __future__ import annotations

POSTFIX = "postfix"
MTA_CHOICES = ("auto", POSTFIX)


def chosen_mta(option: str) -> str:
    """Give the MTA for an ``mta`` option: the one it names, or for ``auto`` the one that is there."""
    return POSTFIX if option == "auto" else option
