#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Prepares the home folder in which ansible-test runs: pip's settings, and the script by which it bootstraps pip.

from __future__ import annotations

import ast
import configparser
import os
import subprocess
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
import subprocess
import sys

OPTIONS_OF_GET_PIP = ("--no-setuptools", "--no-wheel")

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
wanted = [word for word in sys.argv[1:] if word not in OPTIONS_OF_GET_PIP]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *wanted]).returncode)
'''
# What pip takes from the environment besides its own variables.
OTHER_VARIABLES = {"cert": ("REQUESTS_CA_BUNDLE",), "proxy": ("HTTPS_PROXY", "https_proxy")}


def pip_settings() -> configparser.RawConfigParser:
    """Give pip's settings of this user, from its files and from the environment, as one configuration.

    ansible-test hands only HOME and PATH to pip, so that an index named by a variable would be lost.
    """
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = configparser.RawConfigParser()
    settings.add_section("global")
    # Variables count more than files, and ":env:" would sort before the names of the sections.
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _equals, value = line.partition("=")
        section, _dot, option = name.replace(":env:", "global").rpartition(".")
        if not settings.has_section(section):
            settings.add_section(section)
        settings.set(section, option, ast.literal_eval(value))
    for option, variables in OTHER_VARIABLES.items():
        values = [os.environ[variable] for variable in variables if os.environ.get(variable)]
        if values and not settings.has_option("global", option):
            settings.set("global", option, values[0])
    settings.set("global", "quiet", "2")
    return settings


def wanted_version() -> str:
    """Give the version of pip that this ansible-test puts into its virtual environments."""
    python = SimpleNamespace(version=".".join(map(str, sys.version_info[:2])))
    return str(requirements.get_venv_packages(python)["pip"])


def bootstrap_script(version: str) -> str:
    """Give the script as its makers publish it, or one that does the same where they cannot be reached."""
    source = SOURCE.format(version=version)
    try:
        with urllib.request.urlopen(source, timeout=DOWNLOAD_TIMEOUT_SECONDS) as answer:  # noqa: S310 - https, above
            return str(answer.read().decode())
    except OSError as error:
        print(f"sanity: {source} cannot be downloaded ({error}); using ensurepip instead")
        return REPLACEMENT


def main() -> None:
    """Prepare the folder that the command line names; a bootstrap script that is there already stays."""
    home = Path(sys.argv[1])
    configuration = home / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.touch(mode=0o600)  # the address of an index may hold a password
    with configuration.open("w", encoding="utf-8") as file:
        pip_settings().write(file)
    version = wanted_version()
    cached = home / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(bootstrap_script(version), encoding="utf-8")


if __name__ == "__main__":
    main()
