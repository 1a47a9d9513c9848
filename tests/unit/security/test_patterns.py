# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# No regular expression of the collection takes long for any text: its work grows with the length, not faster.

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pattern_attacks import all_patterns, attack, calls_of_re

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import ZoneContents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.types import substitutes

ATTACKS = Path(__file__).with_name("pattern_attacks.py")
# Far more than all attacks take; an expression of exponential cost would need centuries.
LONGEST = 500
# What is put together when it is needed; each has a test of its own, or a fixed form for the parts that come in.
MADE_WHEN_NEEDED = {
    "module_utils/model/routes.py",
    "module_utils/map/directory_bulk.py",
    "module_utils/dns/zone_file/contents.py",
    "module_utils/mta/postfix/setup/verify_cache.py",
    "module_utils/base/addresses.py",
    "module_utils/mta/postfix/tables/text.py",
}


def test_the_work_of_every_expression_grows_no_faster_than_the_text() -> None:
    names = [name for name, _pattern, _uses in all_patterns()]
    assert len(names) > 60
    try:
        done = subprocess.run([sys.executable, ATTACKS], capture_output=True, text=True, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired as error:
        told = (error.stdout or b"").decode().splitlines()
        pytest.fail(f"this expression never came to an end: {told[-1]}")
    assert done.returncode == 0, done.stderr
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert list(found) == list(dict.fromkeys(names))
    assert {name: told for name, told in found.items() if told != "linear"} == {}


@pytest.mark.parametrize(
    "slow",
    [
        r"(?:\\.|(?!/).)*/x",
        r"(a+)+$",
        r"(?:a|aa)+b",
        r"/\*.*?\*/",
        r"\s*,\s*x",
        r'(?:"(?:\\.|[^"\\])*"|[^,"])+',
        r"\$\{[^}]*\}",
    ],
)
def test_the_attack_finds_expressions_that_are_known_to_be_slow(slow: str) -> None:
    told = attack(re.compile(slow, re.DOTALL))
    assert told is not None, slow


def test_an_expression_that_is_no_literal_is_known_here() -> None:
    calls = list(calls_of_re())
    literal = (ast.Constant, ast.JoinedStr)
    others = {place.partition(":")[0] for place, node in calls if not isinstance(node.args[0], literal)}
    joined = {place.partition(":")[0] for place, node in calls if isinstance(node.args[0], ast.JoinedStr)}
    named = {name.partition(":")[0] for name, _pattern, _uses in all_patterns()}
    assert others | (joined - named) <= MADE_WHEN_NEEDED


def test_roles_and_playbooks_use_no_expressions() -> None:
    root = ATTACKS.parents[3]
    words = re.compile(r"regex_(?:search|replace|findall)|\bis (?:match|search|regex)\b")
    files = [path for folder in ("roles", "playbooks") for path in (root / folder).rglob("*") if path.is_file()]
    assert files and not [path for path in files if words.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    "rule", [r"/^(\d+)\." + r"(\d+)\." * 400 + "x$/ {}", "/a/" + " " * 20_000 + "{}", "/" + "\\" * 40_001 + "/ {}"]
)
@pytest.mark.parametrize(
    ("result", "expected"), [("REJECT", False), ("relay:[$1]", True), ("$$1", False), ("$$$1", True)]
)
def test_rules_of_any_length_are_read_at_once(rule: str, result: str, expected: bool) -> None:
    text = rule.format(result) if "{}" in rule and "(" not in rule else rule.replace("{}", result)
    assert substitutes("regexp:/x", lambda _path: text) is (expected and not rule.startswith("/\\"))


def test_names_that_a_zone_file_generates_with_many_counters_are_looked_for_at_once() -> None:
    soa = "@ 300 IN SOA ns hostmaster 1 3600 600 86400 300\n"
    text = soa + "$GENERATE 1-2 " + "$a" * 60 + "b 300 MX 10 mx\n"
    zone = ZoneContents(parse_zone_text(text, "example.com", "zone", lambda _name: ""), "example.com", "zone")
    assert zone.reading("1a" * 30 + ".example.com").current.records == ()
