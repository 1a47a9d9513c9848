#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Puts the script by which ansible-test bootstraps pip into its cache when the host it comes from cannot be reached.

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import ansible_test._internal.python_requirements as requirements

SOURCE = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
DOWNLOAD_TIMEOUT_SECONDS = 10
# ansible-test calls it with the packages to install and options of get-pip.py that pip itself does not know.
REPLACEMENT = '''\
"""Stands in for get-pip.py: the interpreter's own pip installs the wanted one from the configured index."""
import runpy
import sys

import ensurepip

OPTIONS_OF_GET_PIP = ("--no-setuptools", "--no-wheel")

ensurepip.bootstrap()
sys.argv = ["pip", "install"] + [word for word in sys.argv[1:] if word not in OPTIONS_OF_GET_PIP]
runpy.run_module("pip", run_name="__main__")
'''


def wanted_version() -> str:
    """Give the version of pip that this ansible-test puts into its virtual environments."""
    python = SimpleNamespace(version=".".join(map(str, sys.version_info[:2])))
    return str(requirements.get_venv_packages(python)["pip"])


def main() -> None:
    """Leave a usable script in the cache; one that is there already stays."""
    version = wanted_version()
    cached = Path.home() / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if cached.exists():
        return
    source = SOURCE.format(version=version)
    cached.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(source, timeout=DOWNLOAD_TIMEOUT_SECONDS) as answer:  # noqa: S310 - https, above
            text = answer.read().decode()
    except OSError as error:
        print(f"sanity: {source} cannot be downloaded ({error}); using ensurepip instead")
        text = REPLACEMENT
    cached.write_text(text)


if __name__ == "__main__":
    main()
