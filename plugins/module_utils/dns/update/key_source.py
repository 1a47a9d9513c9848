# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which TSIG key a task means: of its options, of a BIND key file, of the environment, or none. Private.

from __future__ import annotations

import errno
import grp
import os
import pwd
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import (
    DEFAULT_ALGORITHM,
    SigningKey,
    canonical_key_name,
    key_of,
)

_OPTIONS = ("key_name", "key_secret", "key_algorithm", "key_file")
# The variable of an option is its name in upper case after this.
_PREFIX = "SPLIT_DOMAIN_DNS_"
# A quoted string is no comment, though a secret in base64 may well hold two slashes. What is never closed goes on to
# the end of the text, so that nothing in it is looked at twice.
_COMMENT_OR_STRING = re.compile(r'(?P<string>"[^"\n]*")|/\*.*?(?:\*/|\Z)|//[^\n]*|#[^\n]*', re.DOTALL)
_KEY = re.compile(r'\bkey\s+"?(?P<name>[^\s"{;]+)"?\s*\{(?P<body>[^}]*)(?P<end>\}|\Z)')
_STATEMENT = re.compile(r'\b(algorithm|secret)\s+"?([^\s";]+)"?\s*;')
_LARGEST_FILE = 1 << 20
# A number of bits after an algorithm lets BIND take shorter signatures, too; on the wire the algorithm stays the same.
_TRUNCATION = re.compile(r"(?<=\d)-\d+$")
# The groups of the name server, by which its packages let it read the keys of its own that belong to root.
_NAME_SERVER_GROUPS = ("bind", "named")


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


# BIND key files, as tsig-keygen writes them, and who else can read them.


def read_key_file(file: str, name: str | None) -> SigningKey:
    """Give the key of a BIND key file, or of several the one with the ``name``.

    A file that others than its owner can read is refused. Its owner's group may, where it has the owner's name and so
    is nobody else's; that the name server's group may read a file of root becomes a warning of the key. Raises
    InvalidInput.
    """
    try:
        path = Path(file).expanduser()
    except RuntimeError as error:
        raise InvalidInput(f"the key file {file!r} is below the home of a user who is not known: correct it") from error
    text, status = _content(path)
    warnings = _readers(path, status)
    key = _chosen(path, text, name)
    return replace(key, warnings=(*warnings, *key.warnings))


def _content(path: Path) -> tuple[str, os.stat_result]:
    try:
        found = read_file(path, _LARGEST_FILE)
        if found is not None:
            return found.content.decode("utf-8"), found.status
        reason = os.strerror(errno.ENOENT)
    except OSError as error:
        reason = error.strerror or str(error)
    except ServerStateError as error:
        reason = str(error)
    except ValueError:
        reason = "it is no text, or its name no path"
    raise InvalidInput(
        f"the key file {path} cannot be read on the host that runs the module ({reason}): "
        "name a BIND key file that this task's user may read"
    )


def _readers(path: Path, status: os.stat_result) -> tuple[str, ...]:
    """Refuse a file that strangers can read or write, or warn of the name server, which can read it."""
    if status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise InvalidInput(
            f"the key file {path} can be read or written by every user of this host (mode "
            f"{stat.S_IMODE(status.st_mode):04o}), who can then sign as its keys: chmod 600 {path}"
        )
    if not status.st_mode & (stat.S_IRGRP | stat.S_IWGRP):
        return ()
    owner, group = _owner_and_group(status)
    if group == owner:
        return ()
    if owner == "root" and group in _NAME_SERVER_GROUPS and not status.st_mode & stat.S_IWGRP:
        return (
            f"the key file {path} can be read by the group {group}: whoever takes over the name server there can "
            f"sign as its keys, so give tasks a key file of their own that only their user can read (chmod 600)",
        )
    raise InvalidInput(
        f"the key file {path} can be read or written by the group {group} (mode {stat.S_IMODE(status.st_mode):04o}), "
        f"whose members can then sign as its keys: chmod 600 {path}"
    )


def _owner_and_group(status: os.stat_result) -> tuple[str, str]:
    """Give the names of a file's owner and group, which need not have any."""
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = f"(user {status.st_uid})"
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = f"(group {status.st_gid})"
    return owner, group


def _chosen(path: Path, text: str, name: str | None) -> SigningKey:
    found = [match for match in _KEY.finditer(_without_comments(text)) if match["end"]]
    keys = {canonical_key_name(match["name"]): match["body"] for match in found}
    if not keys:
        raise InvalidInput(f"the key file {path} holds no key: it should look as tsig-keygen writes it")
    if name is None and len(keys) > 1:
        raise InvalidInput(f"the key file {path} holds several keys ({', '.join(keys)}): choose one with key_name")
    chosen = next(iter(keys)) if name is None else canonical_key_name(name)
    if chosen not in keys:
        raise InvalidInput(f"the key file {path} holds no key {chosen}, only {', '.join(keys)}: correct key_name")
    statements = dict(_STATEMENT.findall(keys[chosen]))
    if "secret" not in statements:
        raise InvalidInput(f"the key {chosen} in the key file {path} has no secret: write it with tsig-keygen")
    algorithm = _TRUNCATION.sub("", statements.get("algorithm", DEFAULT_ALGORITHM))
    return key_of(chosen, statements["secret"], algorithm, f"key file {path}")


def _without_comments(text: str) -> str:
    return _COMMENT_OR_STRING.sub(lambda found: found["string"] or " ", text)
