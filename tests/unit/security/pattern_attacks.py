# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Hostile texts for a regular expression, made from the expression itself, and how its work grows with their length.
#
# As a program it attacks every expression of the collection, tells the name of each before it begins, and then what
# was found. Whoever starts it can end it, which an expression that never comes to an end makes necessary.

from __future__ import annotations

import ast
import importlib
import itertools
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

try:
    from re import _constants as names
    from re import _parser as parser
except ImportError:
    import sre_constants as names  # type: ignore[no-redef]
    import sre_parse as parser  # type: ignore[no-redef]

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
PREFIX = "ansible_collections.mailops.split_domain.plugins."
FUNCTIONS = ("compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")
# Members of the classes that an expression may name, and some that most do not.
CATEGORY_MEMBERS = {"DIGIT": "7", "SPACE": " \n", "WORD": "aZ7"}
STRANGERS = "\0\u00e9"
LENGTHS = (*range(16, 52, 4), 60, 150, 400, 5_000)
# A class of characters goes over a text so fast that its quadratic work shows itself in long texts only.
LONG = 40_000
# What grows exponentially would never end with twice as much of so short a text.
SHORT = 48
MOST_GROWTH_OF_SHORT = 1.5
# Processor time in seconds that no linear expression needs for twice as many characters, on any machine; where more is
# spent the growth decides. Twice the length may cost a linear expression twice the time, a quadratic one four times.
WORTH_A_SECOND_LOOK = 0.02
MOST_GROWTH = 3.0
# How often both are measured, before and after a suspicion; the least time counts.
TRIES = (2, 6)
TEXTS_PER_PATTERN = 1_200
MOST_SIGNS = 10

AnyPattern = Union["re.Pattern[str]", "re.Pattern[bytes]"]
# What begins at one place of a text only; every other function looks for matches everywhere in it.
ANCHORED = frozenset({"match", "fullmatch"})
ANYWHERE = frozenset({*ANCHORED, "finditer"})


def uses_of(path: Path, name: str) -> frozenset[str]:
    """Give in which ways a file uses an expression; all of them where it does not tell."""
    found = set(re.findall(rf"\b{name}\.([a-z]+)\(", path.read_text(encoding="utf-8"))) & set(FUNCTIONS)
    return frozenset(found) if found and found <= ANCHORED else ANYWHERE


def compiled_patterns() -> Iterator[tuple[str, AnyPattern, frozenset[str]]]:
    """Give every compiled expression that a file of the collection holds, by its name, and its uses there."""
    for path in sorted(PLUGINS.rglob("*.py")):
        module = importlib.import_module(PREFIX + ".".join(path.relative_to(PLUGINS).with_suffix("").parts))
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{path.relative_to(PLUGINS)}: {name}", value, uses_of(path, name)


def calls_of_re() -> Iterator[tuple[str, ast.Call]]:
    """Give every call of a function of ``re`` that takes an expression, by its place."""
    for path in sorted(PLUGINS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in FUNCTIONS
            ):
                yield f"{path.relative_to(PLUGINS)}: line {node.lineno}", node


def literal_patterns() -> Iterator[tuple[str, AnyPattern, frozenset[str]]]:
    """Give every expression that stands as a text in a call of ``re``, but for those that are compiled there."""
    for place, call in calls_of_re():
        function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if isinstance(call.args[0], ast.Constant) and function != "compile":
            flags = re.RegexFlag(0)
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                for node in ast.walk(argument):
                    if isinstance(node, ast.Attribute) and isinstance(getattr(re, node.attr, None), re.RegexFlag):
                        flags |= getattr(re, node.attr)
            uses = frozenset({function})
            yield place, re.compile(call.args[0].value, flags), uses if uses <= ANCHORED else ANYWHERE


def all_patterns() -> Iterator[tuple[str, AnyPattern, frozenset[str]]]:
    """Give every expression of the collection, each with its name and uses."""
    seen = set()
    for name, pattern, uses in (*compiled_patterns(), *literal_patterns()):
        if (pattern, uses) not in seen:
            seen.add((pattern, uses))
            yield name, pattern, uses


def members(argument: Any) -> str:
    """Give some characters that a class of characters takes, or for one that excludes, some that it does not name."""
    found = ""
    for kind, value in argument:
        if kind is names.LITERAL:
            found += chr(value)
        elif kind is names.RANGE:
            found += chr(value[0]) + chr(value[1])
        elif kind is names.CATEGORY:
            found += next((those for word, those in CATEGORY_MEMBERS.items() if str(value).endswith(word)), "-")
    if argument and argument[0][0] is names.NEGATE:
        return "".join(other for other in 'a7- .\n"\\/' if other not in found) or "z"
    return found


def alphabet(parsed: Any) -> str:
    """Give the characters that mean something to an expression, at least one of each class in it."""
    found = ""
    for kind, value in walk(parsed):
        if kind in (names.LITERAL, names.NOT_LITERAL):
            found += chr(value)
        elif kind is names.IN:
            found += members(value)
            found += "".join(chr(one) for sort, one in value if sort is names.LITERAL)
        elif kind is names.ANY:
            found += "a"
    return "".join(dict.fromkeys(found))


def own_signs(parsed: Any) -> str:
    """Give the signs that an expression names, without letters and digits, of which many make a word of it."""
    found = ""
    for kind, value in walk(parsed):
        if kind in (names.LITERAL, names.NOT_LITERAL):
            found += chr(value)
        elif kind is names.IN:
            found += "".join(chr(one) for sort, one in value if sort is names.LITERAL)
    return "".join(sign for sign in dict.fromkeys(found) if not sign.isalnum())


def walk(parsed: Any) -> Iterator[tuple[Any, Any]]:
    """Give every node of a parsed expression."""
    for kind, value in parsed:
        yield kind, value
        for inner in inner_parts(kind, value):
            yield from walk(inner)


def inner_parts(kind: Any, value: Any) -> list[Any]:
    """Give the expressions that a node is made of."""
    if kind is names.BRANCH:
        return list(value[1])
    if kind is names.SUBPATTERN:
        return [value[3]]
    if kind in (names.MAX_REPEAT, names.MIN_REPEAT, getattr(names, "POSSESSIVE_REPEAT", None)):
        return [value[2]]
    if kind is getattr(names, "ATOMIC_GROUP", None):
        return [value]
    if kind in (names.ASSERT, names.ASSERT_NOT):
        return [value[1]]
    return []


def example(parsed: Any) -> str:
    """Give a short text of the kind that an expression takes, at least one turn of each repetition."""
    text = ""
    for kind, value in parsed:
        if kind is names.LITERAL:
            text += chr(value)
        elif kind is names.NOT_LITERAL:
            text += "a" if chr(value) != "a" else "b"
        elif kind is names.IN:
            text += members(value)[:1]
        elif kind is names.ANY:
            text += "a"
        elif kind in (names.ASSERT, names.ASSERT_NOT, names.AT):
            continue
        elif kind is names.BRANCH:
            text += example(value[1][0])
        elif kind is names.GROUPREF:
            text += "/"
        else:
            inner = inner_parts(kind, value)
            turns = max(1, value[0]) if kind in (names.MAX_REPEAT, names.MIN_REPEAT) else 1
            text += "".join(example(one) for one in inner) * min(turns, 3)
    return text


def cuts(parsed: Any) -> Iterator[tuple[str, list[str], str]]:
    """Give what stands before each part of an expression, what may be repeated there, and what stands behind it."""
    for at, (kind, value) in enumerate(parsed):
        before, behind = example(parsed[:at]), example(parsed[at + 1 :])
        own = [(kind, value)]
        yield before, [example(own), before, before + example(own), *alphabet(own)], behind
        for inner in inner_parts(kind, value):
            for deeper_before, pumps, deeper_behind in cuts(inner):
                yield before + deeper_before, pumps, deeper_behind + behind


def hostile_texts(pattern: AnyPattern) -> Iterator[tuple[str, str, str]]:
    """Give texts as beginning, middle to be repeated, and end."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    parsed = parser.parse(source, pattern.flags)
    signs = alphabet(parsed)
    beginnings = dict.fromkeys(["", example(parsed)])
    pumps = dict.fromkeys([*signs, *STRANGERS[:1], *map("".join, itertools.product(signs[:12], repeat=2))])
    ends = ("", STRANGERS, "\n")
    for before, own_pumps, behind in cuts(parsed):
        for pump, end in itertools.product(dict.fromkeys(own_pumps), (*ends, behind, behind + STRANGERS)):
            if pump:
                yield before, pump, end
        beginnings[before] = None
    for beginning, pump, end in itertools.product(list(beginnings)[:8], pumps, ends[:2]):
        yield beginning, pump, end


def long_texts(pattern: AnyPattern) -> Iterator[tuple[str, str, str]]:
    """Give texts of all pairs of an expression's own signs, which open what may end only much later."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    signs = own_signs(parser.parse(source, pattern.flags))[:MOST_SIGNS]
    for pair in itertools.product(signs, repeat=2):
        yield "", "".join(pair), ""


def seconds(pattern: AnyPattern, uses: frozenset[str], text: str) -> float:
    """Give the processor time that an expression needs for a text."""
    subject: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8")
    found: Any = pattern
    started = time.process_time()
    if "match" in uses:
        found.match(subject)
    if "fullmatch" in uses:
        found.fullmatch(subject)
    if "finditer" in uses:
        for _match in found.finditer(subject):
            pass
    return time.process_time() - started


def too_much(pattern: AnyPattern, uses: frozenset[str], parts: tuple[str, str, str], length: int) -> str:
    """Tell how an expression needs far more for a longer text; nothing where a second, longer look does not say so."""
    more = length + 4 if length <= SHORT else 2 * length
    most = MOST_GROWTH_OF_SHORT if length <= SHORT else MOST_GROWTH
    spent = longer = 0.0
    for tries in TRIES:
        # In turns, so that what else the machine does falls on both.
        both = [
            (seconds(pattern, uses, _text(parts, length)), seconds(pattern, uses, _text(parts, more)))
            for _each in range(tries)
        ]
        spent, longer = (min(times) for times in zip(*both))
        if longer <= WORTH_A_SECOND_LOOK or longer <= most * spent:
            return ""
    return f"{spent:.3f} s for {length} characters, {longer:.3f} s for {more}"


def attack(pattern: AnyPattern, uses: frozenset[str] = ANYWHERE) -> str | None:
    """Give the text by which an expression shows that its work grows faster than the text, or None."""
    tried = dict.fromkeys(itertools.islice(hostile_texts(pattern), TEXTS_PER_PATTERN))
    lengths = [*((parts, LENGTHS) for parts in tried), *((parts, (LONG,)) for parts in long_texts(pattern))]
    for parts, ascending in lengths:
        # Short texts first: what grows exponentially shows itself there.
        for length in ascending:
            if seconds(pattern, uses, _text(parts, length)) < WORTH_A_SECOND_LOOK:
                continue
            if told := too_much(pattern, uses, parts, length):
                beginning, pump, end = parts
                return f"{beginning!r} + {pump!r} * n + {end!r}: {told}"
    return None


def _text(parts: tuple[str, str, str], length: int) -> str:
    beginning, pump, end = parts
    return beginning + pump * (length // len(pump)) + end


if __name__ == "__main__":
    given = [(text, re.compile(text), ANYWHERE) for text in sys.argv[1:]]
    for name, pattern, uses in given or all_patterns():
        print(json.dumps([name, None]), flush=True)
        print(json.dumps([name, attack(pattern, uses) or "linear"]), flush=True)
