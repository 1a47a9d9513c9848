# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/messages.md is whole and true: every sentence of failure in the sources has its row, and every row its sentence.
#
# Sentences are found where they are made: the texts of exceptions, the clauses that the makers below put into one, and
# every other text that is as long as a sentence, as warnings are. What a variable stands for is an ellipsis in both.

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "messages.md"
CODE = ROOT / "plugins" / "module_utils"
PREFIX = "ansible_collections.mailops.split_domain.plugins."
# email_routing shares its writing of Postfix's files with the other modules; here is what it says itself.
SOURCES = sorted(
    [
        *CODE.glob("dns/**/*.py"),
        *(
            CODE / f"{name}.py"
            for name in (
                "base/atomic_files",
                "map/directory_checks",
                "model/copies",
                "mx/exchange_check",
                "base/folders",
                "model/local_transport",
                "map/mx_sets",
                "mx/records",
                "mx/description",
                "base/names",
                "model/verification",
                "relay/next_hop",
                "relay/dane",
                "relay/tls",
                "relay/certificates",
                "mx/routing_mode",
                "model/mode_settings",
                "base/run_folder",
                "model/aliases",
                "model/routes",
                "base/shapes",
                "smtp/probe",
                "smtp/answers",
                "smtp/connection",
                "smtp/opening",
                "smtp/proof",
                "map/subdomains",
                "base/trusted_paths",
                "mta/email_routing",
                "mta/postfix/instance/commands",
                "mta/postfix/instance/own_settings",
                "model/sites",
                "mta/host_addresses",
                "mta/postfix/domains_server",
                "mta/postfix/setup/existing_domains",
                "mta/postfix/compile/passwords",
                "mta/postfix/instance/main_cf",
                "mta/postfix/routes_server",
                "mta/postfix/compile/tls_policies",
                "mta/postfix/setup/requirements",
                "mta/postfix/routing_server",
                "mta/server_state",
                "mta/postfix/tables/change",
                "mta/postfix/compile/transports",
                "mta/postfix/setup/verify_cache",
            )
        ),
    ]
)
# What is wrong with the DNS of others is a result and no failure; docs/mx_info.md has every code of these.
FAULTS = {CODE / "mx" / "faults.py", CODE / "mx" / "exchange_faults.py"}
# Whose sentences must all be on the page, with everything that they use.
WHOLE_MODULES = ("mx_records", "mx_info", "smtp_probe")
# Functions and values that take a clause, and its place among their arguments.
MAKERS = {"_invalid": 2, "_unreadable": 2, "_line_unreadable": 2, "ServerView": 2}
# Functions that give a clause of a sentence, and a variable that holds one.
CLAUSES = ("_distrust",)
CLAUSE = "reason"
# Calls that tell of no failure: why a server has its routing mode.
REASONS = ("RoutingDecision",)
# Names of texts that end a sentence with what to do.
CURES = re.compile(r"_?cures?|_?[A-Z_]*CURES|whole", re.ASCII)
WORDS_OF_A_SENTENCE = 9
WORDS_OF_A_ROW = 3
ROW = re.compile(r"^\| (?!---|the message says)(.+?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
ANYTHING = "\N{HORIZONTAL ELLIPSIS}"


def text_of(node: ast.AST | None) -> str:
    """Give the text that an expression makes, with an ellipsis for what is not known before it runs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) if isinstance(value, ast.Constant) else ANYTHING for value in node.values)
    return ANYTHING


def text_of_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def words_of(text: str) -> int:
    return len(re.findall(r"(?<!\S)\W*[A-Za-z][A-Za-z']+", text.replace(ANYTHING, " ")))


def exceptions() -> set[str]:
    """Give the names of all exceptions that the code defines."""
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for path in CODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }

    def is_exception(name: str) -> bool:
        return name == "Exception" or any(is_exception(base) for base in bases.get(name, ()))

    return {name for name in bases if is_exception(name)}


EXCEPTIONS = exceptions()


def muted(tree: ast.AST) -> set[ast.AST]:
    """Give all nodes that make no message: docstrings, cures, and the pieces of f-strings."""
    quiet: set[ast.AST] = set()
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else ()
        is_cure = any(isinstance(target, ast.Name) and CURES.fullmatch(target.id) for target in targets)
        if is_cure or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            quiet.update(ast.walk(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASONS:
            quiet.update(ast.walk(node))
        if isinstance(node, ast.JoinedStr):
            quiet.update(value for value in node.values if isinstance(value, ast.Constant))
    return quiet


def sentences(path: Path) -> Iterator[str]:
    """Give every sentence and clause of failure or warning that a file makes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    quiet = muted(tree)
    clauses = {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Yield)
        or (isinstance(node, ast.FunctionDef) and node.name in CLAUSES)
        or (isinstance(node, ast.Assign) and [text_of_name(target) for target in node.targets] == [CLAUSE])
        for text in ast.walk(node)
        if isinstance(text, (ast.JoinedStr, ast.Constant))
    } - quiet
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = 0 if node.func.id in EXCEPTIONS else MAKERS.get(node.func.id)
            if place is not None and len(node.args) > place:
                yield text_of(node.args[place])
        elif node in clauses or (node not in quiet and words_of(text_of(node)) >= WORDS_OF_A_SENTENCE):
            yield text_of(node)


SENTENCES = sorted({text for path in SOURCES for text in sentences(path) if words_of(text) > 1})
ROWS = ROW.findall(PAGE.read_text(encoding="utf-8"))
SPANS = [span for says, _because, _do in ROWS for span in SPAN.findall(says)]


def means(span: str, sentence: str) -> bool:
    """Tell whether the words of a row stand in a sentence, in their order."""
    place = 0
    for words in (part.strip() for part in span.split("...")):
        place = sentence.find(words, place)
        if place < 0:
            return False
        place += len(words)
    return True


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_message_has_its_row(sentence: str) -> None:
    enough = min(WORDS_OF_A_ROW, words_of(sentence))
    rows = [span for span in SPANS if means(span, sentence) and words_of(span) >= enough]
    assert rows, f"docs/messages.md has no row for: {sentence}"


@pytest.mark.parametrize("span", SPANS)
def test_every_row_has_its_message(span: str) -> None:
    if re.fullmatch(r"[A-Z]+", span):
        # What a DNS server says in one word; the code has a cure for it.
        assert any(re.search(rf'"{span}"', path.read_text(encoding="utf-8")) for path in SOURCES)
    else:
        assert any(means(span, sentence) for sentence in SENTENCES), f"no message says: {span}"


@pytest.mark.parametrize("row", ROWS, ids=[says for says, _because, _do in ROWS])
def test_every_row_tells_what_the_message_says_why_and_what_to_do(row: tuple[str, str, str]) -> None:
    assert all(cell.strip() for cell in row)
    assert SPAN.search(row[0])


def test_no_sentence_is_out_of_sight() -> None:
    used = {f"modules.{name}" for name in WHOLE_MODULES}
    waiting = sorted(used)
    while waiting:
        path = CODE.parent / f"{waiting.pop().replace('.', '/')}.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX):
                name = str(node.module).removeprefix(PREFIX)
                if name not in used and (CODE.parent / f"{name.replace('.', '/')}.py").exists():
                    used.add(name)
                    waiting.append(name)
    paths = {CODE.parent / f"{name.replace('.', '/')}.py" for name in used if name.startswith("module_utils")}
    speaking = {path for path in paths if any(words_of(text) > 1 for text in sentences(path))}
    assert sorted(speaking - set(SOURCES) - FAULTS) == []


def test_every_kind_of_failure_of_the_dns_modules_is_raised_with_a_sentence() -> None:
    kinds = {
        node.name
        for node in ast.parse((CODE / "dns" / "client" / "failures.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name in EXCEPTIONS and node.name != "DnsFailure"
    }
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert [kind for kind in sorted(kinds) if not re.search(rf"\b{kind}\b(?! *\(DnsFailure|\(.*\):)", text)] == []
