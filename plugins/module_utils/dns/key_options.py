# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which TSIG key a task means: that of its options, that of the environment, or none. Private to this collection.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.key import DEFAULT_ALGORITHM, SigningKey, key_of
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.key_file import read_key_file
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput

_OPTIONS = ("key_name", "key_secret", "key_algorithm", "key_file")
# The variable of an option is its name in upper case after this.
_PREFIX = "SPLIT_DOMAIN_DNS_"


@dataclass(frozen=True)
class KeyOptions:
    """What names a key: all of it from options of the task, or all of it from variables of the environment."""

    name: str | None = None
    secret: str | None = field(default=None, repr=False)
    algorithm: str | None = None
    file: str | None = None
    are_variables: bool = False

    def word(self, option: str) -> str:
        """Give the word by which the user knows an option here."""
        return _PREFIX + option.upper() if self.are_variables else option


def key_options(params: Mapping[str, Any], environment: Mapping[str, str]) -> KeyOptions:
    """Give the key options of a task, and where it has none those of the environment; the two are never mixed."""
    given = [params[option] for option in _OPTIONS]
    are_variables = all(value is None for value in given)
    if are_variables:
        # A variable that is empty is one that is not set.
        given = [environment.get(_PREFIX + option.upper()) or None for option in _OPTIONS]
    name, secret, algorithm, file = given
    return KeyOptions(name, secret, algorithm, file, are_variables)


def signing_key(options: KeyOptions) -> SigningKey | None:
    """Give the key that the options name, or None where they name none and requests go unsigned.

    The secret is base64. The file is a BIND key file (``tsig-keygen``), the name then chooses one of its keys. Raises
    InvalidInput, never with the secret in its text.
    """
    if options.file is not None:
        if options.secret is not None:
            raise InvalidInput(
                f"{options.word('key_file')} and {options.word('key_secret')} are both given: give one of them"
            )
        return read_key_file(options.file, options.name)
    if options.name is not None and options.secret is not None:
        algorithm = DEFAULT_ALGORITHM if options.algorithm is None else options.algorithm
        return key_of(options.name, options.secret, algorithm, options.word("key_secret"))
    whole = f"give both, or {options.word('key_file')}, or none of them"
    for given, present, missing in (
        ("key_name", options.name, "key_secret"),
        ("key_secret", options.secret, "key_name"),
        ("key_algorithm", options.algorithm, "key_name and key_secret"),
    ):
        if present is not None:
            raise InvalidInput(f"{options.word(given)} is given without {options.word(missing)}: {whole}")
    return None
