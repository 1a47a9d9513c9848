#!/usr/bin/env bash
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a machine ready: Debian packages, .venv with pinned Python packages, .build/link. Silent when all is there.

set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .build
exec 9>.build/setup.lock
flock 9

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

package_is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Where Debian's packages ask whether they may start their service (invoke-rc.d(8)).
policy=${SETUP_POLICY:-/usr/sbin/policy-rc.d}
policy_mark='# Stands here while tests/gates/setup.sh of mailops.split_domain installs packages, as process'

# Tells whether the file is this run's, or was left behind by one that was killed. Another run may be at work now.
policy_is_ours() {
    [ -f "$policy" ] && [ ! -L "$policy" ] || return 1
    local writer
    writer=$(sed -n "s|^$policy_mark \([0-9]*\)\$|\1|p" "$policy")
    [ -n "$writer" ] && { [ "$writer" = "$$" ] || [ ! -e "/proc/$writer" ]; }
}

# Debian starts a mail or name server as soon as it is installed; here only its programs are wanted. A file that somebody
# else has put there stays: it says by itself what may start.
forbid_services() {
    [ ! -e "$policy" ] || return 0
    trap allow_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    printf '#!/bin/sh\n%s %s\nexit 101\n' "$policy_mark" "$$" | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

# Also what a run that was killed (SIGKILL, a power failure) has left behind.
allow_services() {
    if policy_is_ours; then
        as_root rm -f "$policy"
    fi
}

install_packages() {
    say "installing Debian packages: $*"
    forbid_services
    echo 'postfix postfix/main_mailer_type select Local only' | as_root debconf-set-selections
    local failed=''
    as_root apt-get update -qq || failed=yes
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >.build/apt.log 2>&1 || failed=yes
    allow_services
    if [ -n "$failed" ]; then
        tail -20 .build/apt.log >&2 || true
        die "apt-get could not install the packages above; see .build/apt.log."
    fi
    # Enabled units would start at the next boot and take ports 25 and 53.
    if [ -d /run/systemd/system ]; then
        local unit package
        for package in "$@"; do
            case "$package" in
                postfix) unit=postfix ;;
                bind9) unit=named ;;
                knot) unit=knot ;;
                pdns-server) unit=pdns ;;
                postgresql) unit=postgresql ;;
                *) continue ;;
            esac
            as_root systemctl disable --quiet "$unit" || true
        done
    fi
}

ensure_debian_packages() {
    command -v dpkg-query >/dev/null || die "this is no Debian: install the packages of $* yourself."
    local missing=() package
    while read -r package; do
        package_is_installed "$package" || missing+=("$package")
    done < <(cat "$@" | sed 's/#.*//' | awk 'NF {print $1}' | sort -u)
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

is_python_311() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
}

# Prints the Python that makes the virtual environment; Debian's own comes without ensurepip until python3-venv is there.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.11 /usr/bin/python3.11 python3 /usr/bin/python3; do
        if is_python_311 "$candidate" && "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    is_python_311 /usr/bin/python3 || die "no Python 3.11 found: install it, or name it with PYTHON=/path/to/python3.11."
    install_packages python3-venv
    echo /usr/bin/python3
}

ensure_virtual_environment() {
    local wanted
    wanted=$(sha256sum tests/gates/requirements-locked.txt | sha256sum)
    if [ -x .venv/bin/python ] && [ "$(cat .venv/made-from 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    local python
    python=$(find_python)
    say "making .venv with $python (some minutes)"
    rm -rf .venv
    "$python" -m venv .venv
    # Files with other contents than those that were looked at are not installed, and nothing is built here.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --only-binary :all: -r tests/gates/requirements-locked.txt
    echo "$wanted" >.venv/made-from
}

ensure_link_tree() {
    local parent=.build/link/ansible_collections/mailops
    mkdir -p "$parent"
    [ "$(readlink "$parent/split_domain")" = "$PWD" ] || ln -sfn "$PWD" "$parent/split_domain"
}

allow_services
lists=(tests/gates/requirements-apt.txt)
[ ! -e tests/lab/requirements-apt.txt ] || lists+=(tests/lab/requirements-apt.txt)
ensure_debian_packages "${lists[@]}"
ensure_virtual_environment
ensure_link_tree
