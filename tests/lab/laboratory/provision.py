# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is put into a fresh container before it boots: the host's own files and the services that start.
"""The files of a host, as one archive."""

from __future__ import annotations

import io
import ipaddress
import tarfile

from laboratory.description import LAB_FOLDER, Description, Host
from laboratory.mailboxes import MAILBOX_FILE, mailbox_lines
from laboratory.ssh import AUTHORIZED_KEYS
from laboratory.zones import name_server_files

UNITS = {
    "named": "/lib/systemd/system/named.service",
    "dovecot": "/lib/systemd/system/dovecot.service",
    "postfix": "/lib/systemd/system/postfix.service",
}
# The same input gives the same archive, so that a host that is up to date can be told from one that is not.
FIXED_TIME = 1_700_000_000


def host_archive(description: Description, host: Host, subnet: ipaddress.IPv4Network, secret: str, key: bytes) -> bytes:
    """Give a tar archive of everything that makes a bare image this host, which lets in root with ``key``."""
    files = {"/etc/mailname": f"{host.fqdn}\n".encode(), AUTHORIZED_KEYS: key}
    for folder in host.files:
        root = LAB_FOLDER / "files" / folder
        for source in sorted(root.rglob("*")):
            if source.is_file():
                files["/" + str(source.relative_to(root))] = source.read_bytes()
    if host.kind == "mail_server":
        files[MAILBOX_FILE] = mailbox_lines(host.mailboxes).encode()
    if host is description.name_server:
        for name, text in name_server_files(description, subnet, secret).items():
            files[name] = text.encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            member.mode = 0o644
            member.mtime = FIXED_TIME
            archive.addfile(member, io.BytesIO(content))
        for service in host.services:
            member = tarfile.TarInfo(f"etc/systemd/system/multi-user.target.wants/{service}.service")
            member.type = tarfile.SYMTYPE
            member.linkname = UNITS[service]
            archive.addfile(member)
    return buffer.getvalue()
