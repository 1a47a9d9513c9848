# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: a probe over SMTP and the trace of a route have no other file in common. What a server says at RCPT. Pure.

from __future__ import annotations

ACCEPTED = "accepted"
REFUSED = "refused"
DEFERRED = "deferred"
