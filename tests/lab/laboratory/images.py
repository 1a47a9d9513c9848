# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The images of the containers: built from Debian's packages, tagged by their recipe, built again only when it changes.
"""Container images, built from Debian packages when no cached one matches the recipe."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laboratory.description import LAB_FOLDER, LabError
from laboratory.podman import podman

SUITE = "bookworm"
REPOSITORY = "localhost/split-domain-lab"
BUILDER = "split-domain-lab-builder"

INSTALL_POSTFIX = """set -e
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends postfix postfix-lmdb
rm /usr/sbin/policy-rc.d
systemctl disable --quiet postfix
"""


def recipe_hash() -> str:
    """Give the mark of the recipe: it changes when anything that goes into an image changes."""
    digest = hashlib.sha256()
    for part in (SUITE, INSTALL_POSTFIX, _text("image-packages.txt"), _text("image-setup.sh")):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:12]


def image_name(kind: str) -> str:
    """Give the name and tag of the image of that kind (``base`` or ``postfix``)."""
    return f"{REPOSITORY}-{kind}:{recipe_hash()}"


def ensure_images() -> None:
    """Build the images that are missing; takes seconds when they are there and about a minute when not."""
    if all(_exists(kind) for kind in ("base", "postfix")):
        return
    with _alone_on_this_machine():
        if not _exists("base"):
            _build_base()
        if not _exists("postfix"):
            _build_postfix()


def remove_images() -> None:
    """Remove every image of the laboratory, of every recipe, that no container uses."""
    listed = podman("images", "--format", "{{.Repository}}:{{.Tag}}").out.split()
    for image in sorted(listed, reverse=True):
        if image.startswith(REPOSITORY):
            podman("rmi", image, check=False)


def _text(name: str) -> str:
    return (LAB_FOLDER / name).read_text(encoding="utf-8")


def _exists(kind: str) -> bool:
    return podman("image", "exists", image_name(kind), check=False).code == 0


def _build_base() -> None:
    packages = ",".join(_text("image-packages.txt").split())
    with tempfile.TemporaryDirectory(prefix="split-domain-lab-") as folder:
        archive = Path(folder) / "image.tar"
        command = [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={packages}",
            f'--customize-hook=sh {LAB_FOLDER / "image-setup.sh"} "$1"',
            "--skip=cleanup/apt/lists",
            SUITE,
            str(archive),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise LabError(f"the image could not be built: mmdebstrap said: {done.stderr.strip()[-800:]}")
        podman("import", "--quiet", "--change", 'CMD ["/sbin/init"]', str(archive), image_name("base"))


def _build_postfix() -> None:
    podman("rm", "--force", "--ignore", BUILDER)
    podman("run", "--name", BUILDER, "--network", "none", image_name("base"), "sh", "-c", INSTALL_POSTFIX)
    try:
        podman("commit", "--quiet", "--change", 'CMD ["/sbin/init"]', BUILDER, image_name("postfix"))
    finally:
        podman("rm", "--force", "--ignore", BUILDER)


@contextmanager
def _alone_on_this_machine() -> Iterator[None]:
    """Hold the machine's build lock: the image cache is shared by all checkouts."""
    with (Path(tempfile.gettempdir()) / "split-domain-lab-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
