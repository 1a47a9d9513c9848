# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of docs/messages.md: a row for every sentence with which the DNS side and routing modes fail, and no other.

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils import errors
from ansible_collections.mailops.split_domain.plugins.module_utils.dns import failures

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "plugins" / "module_utils"
FILES = sorted(
    [
        *(SOURCES / "dns").glob("*.py"),
        *(SOURCES / name for name in ("exchange_check.py", "mx.py", "mx_description.py", "names.py")),
        *SOURCES.glob("routing_*.py"),
        *(
            SOURCES / "mta" / name
            for name in ("email_routing.py", "postfix/domains_server.py", "postfix/routing_server.py")
        ),
    ]
)
KINDS = {
    name
    for module in (errors, failures)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, errors.SplitDomainError)
}
# Told as a clause within the sentence of another, or built of its parts.
KINDS |= {"TransportError", "MessageTooLarge", "_invalid", "kind"}
HOLE = "\0"
FEWEST_LETTERS = 8


def text_of(node: ast.expr) -> str:
    """Give a string expression with a hole for whatever is not written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return HOLE


def sentences_of(path: Path) -> list[str]:
    """Give what a file raises, and the sentences that it yields."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args]
    raised = [": ".join(map(text_of, call.args)) for call in calls if call.func.id in KINDS]
    return raised + [text_of(node.value) for node in nodes if isinstance(node, ast.Yield) and node.value is not None]


def tells_something(sentence: str) -> bool:
    """Tell whether a sentence has words of its own; others only say where another one comes from."""
    return len(re.sub(r"\[?\0\]?|[^a-z]", "", sentence)) >= FEWEST_LETTERS


SENTENCES = {
    (path.stem, sentence): sentence for path in FILES for sentence in sentences_of(path) if tells_something(sentence)
}
ROWS = re.findall(r"^\| (`.*?`) \|", (ROOT / "docs" / "messages.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
PHRASES = [phrase for row in ROWS for phrase in re.findall(r"`([^`]+)`", row)]


def says(sentence: str, phrase: str) -> bool:
    parts = [re.escape(part) for part in phrase.split("...")]
    return re.search(".*".join(parts), sentence, re.DOTALL) is not None


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_row_is_about_a_message_that_nobody_gives(phrase: str) -> None:
    assert any(says(sentence, phrase) for sentence in SENTENCES.values())


@pytest.mark.parametrize("source", SENTENCES, ids=lambda source: f"{source[0]}: {source[1][:60]!r}")
def test_every_message_has_a_row(source: tuple[str, str]) -> None:
    assert any(says(SENTENCES[source], phrase) for phrase in PHRASES)
