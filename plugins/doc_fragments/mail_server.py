# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The documentation of the options that name the mail server of a machine.

from __future__ import annotations


class ModuleDocFragment:
    """The options of every module that works on a mail server."""

    DOCUMENTATION = r"""
options:
  mta:
    description: The mail server's software. V(auto) takes what is there, which is Postfix as of this version.
    type: str
    choices:
      - auto
      - postfix
    default: auto
  config_directory:
    description: Where the configuration of the Postfix instance is.
    type: path
    default: /etc/postfix
"""
