#!/bin/sh
# The last step of an image: accounts of the mail hosts, and a package folder from which apt installs Postfix offline.
# $1 is the root of the image.
set -eu
root=$1

chroot "$root" useradd --system --uid 5000 --home-dir /var/vmail --create-home --shell /usr/sbin/nologin vmail
# Dovecot's socket lies in Postfix's queue, also where Postfix is installed later.
mkdir -p "$root/var/spool/postfix/private"

# A log that outlives a restart of the host.
mkdir -p "$root/var/log/journal"

# Which services a host runs is decided when it is created.
for unit in named dovecot dovecot.socket; do
    chroot "$root" systemctl disable --quiet "$unit" 2>/dev/null || true
done
# Units that have no work in a container.
chroot "$root" systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer getty.target console-getty.service systemd-logind.service systemd-networkd-wait-online.service

packages=$root/srv/packages
mkdir -p "$packages/partial"
chroot "$root" apt-get install --quiet=2 --yes --no-install-recommends --download-only \
    -o Dir::Cache::archives=/srv/packages postfix postfix-lmdb postfix-pgsql postgresql libsasl2-modules
rmdir "$packages/partial"
rm -f "$packages/lock"
for file in "$packages"/*.deb; do
    dpkg-deb --field "$file"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
        "$(basename "$file")" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done > "$packages/Packages"

rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/packages ./' > "$root/etc/apt/sources.list"
chroot "$root" apt-get update --quiet=2
