#!/usr/bin/env bash
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the tests in an empty Debian 12, so that a package that only this machine has is missed there.
#
# "make fresh" runs make setup, unit and integration there; FRESH_TARGETS names others, FRESH_KEEP=yes keeps the folder.

set -euo pipefail
cd "$(dirname "$0")/../.."
checkout=$PWD
read -ra targets <<<"${FRESH_TARGETS:-setup unit integration}"
root=${FRESH_ROOT:-$checkout/.build/fresh}

# The part that runs among the new root's own mounts and processes, with settings for its environment behind it.
if [ "${1:-}" = --inside ]; then
    root=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"
    as_if_alone=(chroot "$root" env -i -C /checkout HOME=/root LC_ALL=C.UTF-8
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@")
    "${as_if_alone[@]}" git init --quiet .
    "${as_if_alone[@]}" git add --all
    for target in "${targets[@]}"; do
        "${as_if_alone[@]}" make "$target"
    done
    exit
fi

say() { printf 'fresh: %s\n' "$*" >&2; }

[ "$(id -u)" -eq 0 ] || exec sudo --preserve-env "$0" "$@"
# What is mounted for the new root is mounted for the commands below alone: it goes with them, and whoever removes the
# folder does not see it.
if [ "${1:-}" != --own-mounts ]; then
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    status=0
    unshare --mount --propagation private --fork --kill-child "$0" --own-mounts || status=$?
    [ "${FRESH_KEEP:-}" = yes ] || rm -rf --one-file-system "$root"
    exit "$status"
fi

# What pip is told on this machine: its files, and folders with packages that they or the environment name.
copy_pip_settings() {
    local path
    for path in /etc/pip.conf /etc/xdg/pip "$HOME/.config/pip" "$HOME/.pip"; do
        [ ! -e "$path" ] || install_copy "$path"
    done
    { env | sed -n 's/^PIP_[A-Z_]*=//p'; cat /etc/pip.conf /etc/xdg/pip/pip.conf "$HOME/.config/pip/pip.conf" 2>/dev/null || true; } |
        grep -oE '(file://)?/[^ ,=]+' | sed 's|^file://||' | sort -u | while read -r path; do
        # The pages of an index name files beside their own folder.
        [ "${path##*/}" != simple ] || path=${path%/*}
        [ ! -d "$path" ] || case "$path" in /etc/ssl* | /usr*) ;; *) show_folder "$path" ;; esac
    done
}

# These may be large; they are seen there, and not copied.
show_folder() {
    mkdir -p "$root$1"
    mount --bind --options ro "$1" "$root$1"
}

install_copy() {
    mkdir -p "$root$(dirname "$1")"
    cp -a "$1" "$root$(dirname "$1")/"
}

say "making an empty Debian 12 in $root"
packages=git,make,python3,python3-venv,ca-certificates
mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$root" 2>"$root.log" || {
    tail -20 "$root.log" >&2
    say "mmdebstrap could not make it; the whole of what it said is in $root.log"
    exit 1
}
rm -f "$root/etc/apt/sources.list"
for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/trusted.gpg.d /etc/apt/keyrings \
    /etc/resolv.conf /etc/ssl/certs /usr/local/share/ca-certificates /usr/share/keyrings; do
    [ ! -e "$path" ] || { rm -rf "${root:?}$path" && install_copy "$path"; }
done
copy_pip_settings
mkdir -p "$root/checkout"
git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' path; do
    [ ! -e "$path" ] || printf '%s\0' "$path"
done | tar --null --files-from=- -c | tar -x -C "$root/checkout"

# Debian tells where packages come from and pip where to look; nothing else of this environment gets in.
mapfile -t settings < <(env | grep -E '^(PIP_[A-Z_]*|https?_proxy|HTTPS?_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)=' || true)
begun=$SECONDS
status=0
# Mounts and processes of its own, which end with it; the network is this machine's.
unshare --mount --pid --ipc --uts --fork --kill-child "$0" --inside "$root" "${settings[@]}" || status=$?
say "make ${targets[*]} in an empty Debian 12 ended with status $status after $((SECONDS - begun)) s"
exit "$status"
