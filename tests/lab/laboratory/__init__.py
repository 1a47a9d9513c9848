# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The laboratory of real servers: containers, their DNS and mailboxes, and the tools that send mail and look for it.
"""A laboratory of real mail servers in containers, for the tests, the demo and the benchmarks."""
