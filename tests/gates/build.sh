#!/usr/bin/env bash
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the collection's tarball and installs it into .build/collections. Silent when no source changed.

set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .build
exec 9>.build/build.lock
flock 9

# Deleted files are still listed by git until they are committed; they count as absent.
hash_of_sources() {
    git ls-files --cached --others --exclude-standard -z |
        sort -zu |
        xargs -0 sh -c 'sha256sum "$@"; stat -c "%a %n" "$@"; true' sh 2>/dev/null |
        sha256sum
}

installed=.build/collections/ansible_collections/mailops/split_domain
sources=$(hash_of_sources)
if [ -e "$installed/MANIFEST.json" ] && [ "$(cat .build/built-from 2>/dev/null)" = "$sources" ]; then
    exit 0
fi
export ANSIBLE_COLLECTIONS_PATH=$PWD/.build/collections
rm -rf .build/built-from .build/dist "$installed"
mkdir -p .build/dist
.venv/bin/ansible-galaxy collection build --force --output-path .build/dist . >.build/build.log
.venv/bin/ansible-galaxy collection install --offline --force --no-deps \
    --collections-path .build/collections .build/dist/*.tar.gz >>.build/build.log
echo "$sources" >.build/built-from
printf 'build: %s is installed in .build/collections\n' "$(basename .build/dist/*.tar.gz)" >&2
