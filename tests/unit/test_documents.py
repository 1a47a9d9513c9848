# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the documents: links lead somewhere, YAML can be read, commands that are named exist, and words are plain.

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path for path in ROOT.glob("plugins/*/*.py") if "DOCUMENTATION =" in path.read_text(encoding="utf-8"))
SPECIFICATIONS = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
FRAGMENTS = sorted(ROOT.glob("changelogs/fragments/*.yml"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md")])
WORDED = [*DOCUMENTS, *PLUGINS, *SPECIFICATIONS, *FRAGMENTS]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
YAML_BLOCK = re.compile(r"^```ya?ml\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
MAKE_TARGET = re.compile(r"`make ([a-z-]+)")
FENCE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)

DOCUMENTATION = re.compile(r'^ *DOCUMENTATION = r"""\n(.*?)^"""', flags=re.MULTILINE | re.DOTALL)
# What is quoted: values, messages and names, which are as the code has them.
QUOTED = re.compile(r"``[^`]*``|`[^`]*`|\b(?:C|V|O|P|M|RV|E)\((?:\\.|[^()]|\([^()]*\))*\)")

# Words that readers of other languages stumble over, and what to write instead.
PLAIN_WORDS = {
    r"sub-domains?": "subdomain",
    r"split horizon": "loop guard",
    r"(?:in|into) force": "takes effect",
    r"welcomed?": "trusted sites",
    r"loans?|borrow\w*": "saved parameters, changed parameters",
    r"wish\w*": "wanted sets",
    r"guarded_road": "tls_and_auth",
    r"moody_peer": "scripted_peer",
    r"TAKING_TABLES": "ACCEPTING_TABLES",
    r"AS_BEFORE": "CLASS_DEFAULT",
    r"(?-i:Settle)": "ReloadIfDue",
    r"(?-i:News)": "findings",
    # REFUSED in capitals is an answer of the DNS.
    r"(?-i:[Rr]efus(?:e[sd]?|ing|als?))": "reject, rejection; of a server: it blocks, it does not answer",
    r"put(?:s|ting)? (?:\w+ )?off": "defer",
    r"(?:mail|bounce) (?:for|to) nobody(?!@)": "mail for unknown recipients",
    r"(?:whom|that) nobody \w+|nobody (?:lists|knows|has)": "unknown, not listed, a random address",
    r"nobody but": "only",
    r"(?:gives?|gave|given) (?:\w+ )?back": "restore",
    r"proves? (?:itself|its word)|by (?:its|the) word": "passes the verification test",
    r"(?:go|goes|going|went) a?round": "loop",
    r"taken for": "treated as",
    r"laid over": "added on top; existing users keep working",
    r"in IPv6 clothes": "an IPv4-mapped IPv6 address",
    r"mend(?:s|ed|ing)?": "repair, correct",
    r"lest": "so that ... does not",
    r"swallow\w*": "get",
    r"anew": "again",
}
PLAIN = re.compile(
    "|".join(rf"(?P<w{number}>\b(?:{word})\b)" for number, word in enumerate(PLAIN_WORDS)).replace(" ", r"\s+"),
    flags=re.IGNORECASE,
)
CALL_AHEAD = "recipient address verification in Postfix, callout in Exim"


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors_of(path: Path) -> set[str]:
    """Give the anchors that a Markdown viewer makes of the headings of a document."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def local_links(path: Path) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_local_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in local_links(document):
        name, _hash, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_yaml_block_can_be_read(document: Path) -> None:
    for block in YAML_BLOCK.findall(document.read_text(encoding="utf-8")):
        list(yaml.safe_load_all(block))


def split_maps() -> list[tuple[str, list[dict[str, Any]]]]:
    """Give every whole split map that a document shows, with the document's name."""
    found = []
    # The maps of topologies run in the laboratory, with the directories that lie beside them.
    for document in (document for document in DOCUMENTS if document.parent.name != "topologies"):
        for block in YAML_BLOCK.findall(document.read_text(encoding="utf-8")):
            content = next(yaml.safe_load_all(block), None)
            if isinstance(content, dict) and "split_domains" in content:
                found.append((shown(document), content["split_domains"]))
    return found


@pytest.mark.parametrize(("document", "split_map"), split_maps(), ids=[document for document, _map in split_maps()])
def test_every_split_map_that_is_shown_can_be_compiled(
    document: str, split_map: list[dict[str, Any]], tmp_path: Path
) -> None:
    mapped = split_map[0]
    for holder in (mapped, *mapped["sites"]):
        if "directory" in holder:
            path = tmp_path / holder["directory"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                f"address,site\n{path.stem}@{mapped['domain']},{holder.get('name', mapped['sites'][0]['name'])}\n"
            )
    hosts = [host for site in mapped["sites"] for host in site.get("hosts", [])]
    assert hosts
    for host in hosts:
        plan = server_arguments(split_map, host, None, [str(tmp_path)])
        assert [entry["domain"] for entry in plan["domains"]] == [mapped["domain"]]


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(MAKE_TARGET.findall(document.read_text(encoding="utf-8"))) - targets == set()


def test_every_make_target_is_explained_by_make_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    declared = re.search(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    assert declared is not None
    assert set(declared.group(1).split()) == set(re.findall(r"^([a-z-]+):.*## ", text, flags=re.MULTILINE))


def test_the_tested_versions_in_the_readme_are_those_that_are_installed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pinned = dict(
        re.findall(
            r"^([\w-]+)==(\S+)",
            (ROOT / "tests/gates/requirements-locked.txt").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    for package in ("ansible-core", "dnspython"):
        assert pinned[package] in readme, f"README.md does not name {package} {pinned[package]}"


def prose(path: Path) -> str:
    """Give a document without code and quotations, of a plugin its documentation; every line stays in its place."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        kept = [match.span(1) for match in DOCUMENTATION.finditer(text)]
        text = "".join(
            letter if letter == "\n" or any(start <= place < end for start, end in kept) else " "
            for place, letter in enumerate(text)
        )
    return QUOTED.sub(blank, FENCE.sub(blank, text))


@pytest.mark.parametrize("document", WORDED, ids=shown)
def test_every_document_has_plain_words(document: Path) -> None:
    text = prose(document)
    instead = list(PLAIN_WORDS.values())
    found = [
        f"{shown(document)}:{text.count(chr(10), 0, match.start()) + 1}: "
        f"{match.group()!r}, write: {instead[int(str(match.lastgroup)[1:])]}"
        for match in PLAIN.finditer(text)
    ]
    assert not found, "\n" + "\n".join(found)


def test_no_document_writes_subdomain_in_two_words() -> None:
    assert [shown(path) for path in WORDED if "sub-domain" in path.read_text(encoding="utf-8").lower()] == []


@pytest.mark.parametrize("document", [path for path in WORDED if path not in FRAGMENTS], ids=shown)
def test_every_page_explains_call_ahead_where_it_names_it_first(document: Path) -> None:
    text = " ".join(prose(document).split())
    first = text.lower().find("call-ahead")
    assert first < 0 or CALL_AHEAD in text[: first + 300], f"{shown(document)} has to say: ({CALL_AHEAD})"
