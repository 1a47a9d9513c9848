# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of TSIG keys: from options and from BIND key files, and never a secret in a message.

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import ALGORITHMS
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import KeyOptions, signing_key

SECRET = base64.b64encode(b"secret-" * 10).decode()


def private_file(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)


def test_without_any_option_there_is_no_key():
    assert signing_key(KeyOptions()) is None


def test_a_key_is_read_from_its_options_in_any_spelling_of_its_name():
    key = signing_key(KeyOptions("Mail-Update.", f" {SECRET}\n", "HMAC-SHA512"))
    assert (key.name, key.algorithm, key.secret) == ("mail-update", "hmac-sha512", b"secret-" * 10)


def test_a_key_never_shows_its_secret():
    key = signing_key(KeyOptions("mail-update", SECRET))
    assert "secret-secret" not in repr(key) and SECRET not in repr(key)


@pytest.mark.parametrize("secret", ["", "with blanks in it", "abc", "äöü=", "c2VjcmV0LX"])
def test_a_secret_that_is_no_base64_is_refused_without_being_shown(secret):
    with pytest.raises(InvalidInput, match="base64") as caught:
        signing_key(KeyOptions("mail-update", secret))
    assert not secret or secret not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["", "two words", "a;b", 'a"b', "a\nb"])
def test_a_name_that_no_key_can_have_is_refused(name):
    with pytest.raises(InvalidInput, match="name"):
        signing_key(KeyOptions(name, SECRET))


def test_half_a_key_is_refused():
    with pytest.raises(InvalidInput, match="key_secret"):
        signing_key(KeyOptions("mail-update"))
    with pytest.raises(InvalidInput, match="key_name"):
        signing_key(KeyOptions(None, SECRET))


@pytest.mark.parametrize(
    "algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
)
def test_a_file_of_tsig_keygen_is_read_with_its_algorithm(tmp_path, algorithm):
    path = tmp_path / "update.key"
    private_file(path, subprocess.run(["tsig-keygen", "-a", algorithm, "My-Key"], check=True, stdout=-1).stdout)
    key = signing_key(KeyOptions(file=str(path)))
    assert (key.name, key.algorithm) == ("my-key", algorithm)
    assert len(key.secret) >= 16
    # A key as the tool makes it is warned of for its algorithm alone, and only where that is an old one.
    assert len(key.warnings) == (algorithm in ("hmac-md5", "hmac-sha1", "hmac-sha224"))


@pytest.mark.parametrize(
    ("algorithm", "words"),
    [
        ("hmac-md5", "must not be used any more"),
        ("HMAC-MD5.SIG-ALG.REG.INT.", "must not be used any more"),
        ("hmac-sha1", "is not recommended any more"),
        ("hmac-sha224", "is not recommended any more"),
    ],
)
def test_an_old_algorithm_is_warned_of_with_the_key_and_the_cure(algorithm, words):
    (warning,) = signing_key(KeyOptions("mail-update", SECRET, algorithm)).warnings
    assert "mail-update" in warning and words in warning and "tsig-keygen" in warning
    assert SECRET not in warning


@pytest.mark.parametrize(
    ("algorithm", "least"), [("hmac-sha256", 32), ("hmac-sha256-128", 32), ("hmac-sha384", 48), ("hmac-sha512", 64)]
)
def test_a_secret_that_is_shorter_than_its_signatures_is_warned_of(algorithm, least):
    for size in (1, 5, least - 1):
        secret = base64.b64encode(b"s" * size).decode()
        (warning,) = signing_key(KeyOptions("mail-update", secret, algorithm)).warnings
        assert f"{size} octets" in warning and str(least) in warning and secret not in warning
    enough = base64.b64encode(b"s" * least).decode()
    assert signing_key(KeyOptions("mail-update", enough, algorithm)).warnings == ()


def test_two_slashes_in_a_quoted_secret_are_no_comment(tmp_path):
    path = tmp_path / "update.key"
    private_file(path, 'key "update" {\n\talgorithm hmac-sha256;\n\tsecret "aaaa//bbbb/*cccc+ddd";\n};\n')
    with_comment = path.read_text().replace("};", '}; // secret "none"')
    private_file(path, with_comment.replace("/*cccc", "//cccc"))
    assert signing_key(KeyOptions(file=str(path))).secret == base64.b64decode("aaaa//bbbb//cccc+ddd")


FILE = f"""
# a comment with key "none" {{ secret "x"; }};
/* and another one */
key first {{ algorithm hmac-sha1; secret {SECRET}; }}; // the first
key "second." {{
    secret "{SECRET}";
    algorithm "HMAC-MD5.SIG-ALG.REG.INT";
}};
key third {{ algorithm hmac-sha256; }};
key fourth {{ algorithm hmac-whirlpool; secret {SECRET}; }};
"""


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "keys"
    private_file(path, FILE)
    return str(path)


@pytest.mark.parametrize(("name", "algorithm"), [("first", "hmac-sha1"), ("Second", "hmac-md5")])
def test_the_name_chooses_one_of_several_keys_in_a_file(key_file, name, algorithm):
    key = signing_key(KeyOptions(name, file=key_file))
    assert (key.name, key.algorithm, key.secret) == (name.lower(), algorithm, b"secret-" * 10)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "several keys"),
        ("fifth", "no key fifth"),
        ("third", "no secret"),
        ("fourth", "hmac-whirlpool"),
        ("none", "no key"),
    ],
)
def test_a_key_that_cannot_be_taken_from_a_file_is_told(key_file, name, reason):
    with pytest.raises(InvalidInput, match=reason) as caught:
        signing_key(KeyOptions(name, file=key_file))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("algorithm", ["hmac-sha256-128", "hmac-sha256-80", "HMAC-SHA256"])
def test_truncation_in_the_words_of_bind_is_no_part_of_the_algorithm(tmp_path, algorithm):
    private_file(tmp_path / "a.key", f'key a {{ algorithm {algorithm}; secret "{SECRET}"; }};')
    assert signing_key(KeyOptions(file=str(tmp_path / "a.key"))).algorithm == "hmac-sha256"


def test_a_file_that_is_not_there_or_holds_no_key_is_told_with_its_path(tmp_path):
    with pytest.raises(InvalidInput, match=r"missing.key.*No such file"):
        signing_key(KeyOptions(file=str(tmp_path / "missing.key")))
    private_file(tmp_path / "empty.key", "nothing")
    with pytest.raises(InvalidInput, match=r"empty.key holds no key"):
        signing_key(KeyOptions(file=str(tmp_path / "empty.key")))
    private_file(tmp_path / "binary.key", b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match=r"binary.key.*no text"):
        signing_key(KeyOptions(file=str(tmp_path / "binary.key")))


def test_every_algorithm_on_offer_is_one_that_dnspython_signs_with():
    tsig = pytest.importorskip("dns.tsig")
    names = pytest.importorskip("dns.name")
    for wire_name in ALGORITHMS.values():
        tsig.get_context(tsig.Key("name", SECRET, names.from_text(wire_name))).sign()
