#!/usr/bin/env bash
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs ansible-test's sanity tests inside the installed collection, where its folders have the names it asks for.

set -euo pipefail
cd "$(dirname "$0")/../.."
home=$PWD/.build/sanity-home
.venv/bin/python tests/gates/sanity_home.py "$home"
bin=$PWD/.venv/bin
cd .build/collections/ansible_collections/mailops/split_domain
# Told where the collection begins, ansible-test does not look upwards for a git checkout, which ignores this folder.
exec env HOME="$home" PATH="$bin:$PATH" ANSIBLE_TEST_CONTENT_ROOT="$PWD" \
    "$bin/ansible-test" sanity --python 3.11 --color no "$@"
