# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the topologies: each has a story, a scenario that tells it, and a page that shows the very map that runs.

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from laboratory.description import lab_description
from laboratory.expectations import Answered, Copies, Deferred, Held, Refused
from laboratory.odd_addresses import FORMS, places
from laboratory.stories import TOPOLOGIES, story

from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments

ROOT = Path(__file__).resolve().parents[3]
NAMES = sorted(path.parent.name for path in TOPOLOGIES.glob("*/story.yml"))


def test_every_folder_of_topologies_has_a_story() -> None:
    assert NAMES
    assert sorted(path.name for path in TOPOLOGIES.iterdir() if path.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_map_that_the_scenario_runs(name: str) -> None:
    page = (ROOT / "docs" / "topologies" / f"{name}.md").read_text(encoding="utf-8")
    for words in ("**You have**", "**You write**", "**You get**"):
        assert words in page
    shown = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])
    run = yaml.safe_load((TOPOLOGIES / name / "group_vars" / "mail.yml").read_text(encoding="utf-8"))
    assert shown["split_domains"] == run["split_domains"]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_linked_from_the_guide(name: str) -> None:
    assert f"(topologies/{name}.md)" in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_runs_the_map_and_tells_the_story(name: str) -> None:
    scenario = yaml.safe_load((ROOT / "extensions" / "molecule" / name / "molecule.yml").read_text(encoding="utf-8"))
    inventory = scenario["ansible"]["executor"]["args"]["ansible_playbook"][0]
    assert inventory.endswith(f"/tests/lab/topologies/{name}/hosts.yml")
    assert "verify" in scenario["scenario"]["test_sequence"]


@pytest.mark.parametrize("name", NAMES)
def test_the_story_is_about_hosts_of_the_laboratory_and_mailboxes_that_are_there(name: str) -> None:
    told = story(name)
    hosts = {host.name: host for host in lab_description().hosts}
    assert {*told.hosts, *told.mailboxes, *told.prepare} <= set(hosts)
    mailboxes = {name: {*host.mailboxes, *told.mailboxes.get(name, ())} for name, host in hosts.items()}
    for chapter in told.chapters:
        for row in chapter.rows:
            must = row.must
            if isinstance(must, Refused):
                continue
            goal = must.then if isinstance(must, (Held, Deferred, Answered)) else must
            for place in goal.places if isinstance(goal, Copies) else (goal,):
                assert place.mailbox in mailboxes[place.host], f"{chapter.title}: {row.recipient}"


@pytest.mark.parametrize("name", NAMES)
def test_every_server_of_the_map_gets_something_to_do(name: str) -> None:
    told = story(name)
    run = yaml.safe_load((told.folder / "group_vars" / "mail.yml").read_text(encoding="utf-8"))
    for host in told.hosts:
        assert server_arguments(run["split_domains"], host, search=[str(told.folder)])["domains"]


@pytest.mark.parametrize("name", NAMES)
def test_addresses_without_a_local_part_are_asked_for_in_every_domain_of_every_managed_site(name: str) -> None:
    written = yaml.safe_load((TOPOLOGIES / name / "group_vars" / "mail.yml").read_text(encoding="utf-8"))
    asked = list(places(written["split_domains"], story(name).hosts))
    assert {host for host, _domain in asked} == set(story(name).hosts)
    assert len({domain for _host, domain in asked}) >= len(written["split_domains"])
    assert all("@{}" in form and form.index("@{}") < form.index(">") for form in FORMS)
