#!/usr/bin/env bash
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs ansible-test's sanity tests inside the installed collection, where its folders have the names it asks for.

set -euo pipefail
cd "$(dirname "$0")/../.."
.venv/bin/python tests/gates/pip_bootstrap.py
bin=$PWD/.venv/bin
cd .build/collections/ansible_collections/mailops/split_domain
exec env PATH="$bin:$PATH" "$bin/ansible-test" sanity --python 3.11 --color no "$@"
