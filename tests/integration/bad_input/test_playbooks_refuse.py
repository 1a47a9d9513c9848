# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a playbook's tasks say about bad directories and bad split maps, before anything reaches a server.

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from playbook_run import run_tasks
from split_server import SplitServer

from ansible_collections.mailops.split_domain.plugins.filter import mx_record_sets, server_probes, server_roles

MAP: dict[str, Any] = {
    "domain": "example.com",
    "sites": [
        {"name": "hq", "role": "master", "hosts": ["mx1.example.com"], "unknown": "cloud"},
        {"name": "cloud", "role": "slave", "hosts": ["mx.cloud.example.net"], "unknown": "hq"},
    ],
}


def changed(*changes: tuple[tuple[Any, ...], Any]) -> list[dict[str, Any]]:
    """Give a split map with other values at some places."""
    entry = copy.deepcopy(MAP)
    for path, value in changes:
        place: Any = entry
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return [entry]


CIRCLE = [
    {
        "domain": "example.com",
        "sites": [
            {"name": name, "role": "master", "hosts": [f"mx.{name}.example.net"], "unknown": unknown}
            for name, unknown in (("a", "b"), ("b", "c"), ("c", "a"))
        ],
    }
]
ROWS = [{"address": "bob@example.com", "site": "hq"}, {"address": "Bob@example.com", "site": "cloud"}]

MAPS: list[tuple[Any, str]] = [
    (changed((("sites", 0, "unknown"), "clowd")), "forwards unknown recipients to 'clowd', which is no site of the"),
    (CIRCLE, "forward unknown recipients in a circle (a -> b -> c -> a)"),
    (changed((("directory",), [{"address": "bob@example.net", "site": "hq"}])), "does not belong to the split domain"),
    (changed((("directory",), ROWS)), "bob@example.com is listed with two sites, hq (entry 1) and cloud (entry 2)"),
    (changed((("directory",), [{"address": "b\nob@example.com", "site": "hq"}])), "holds white space or a control"),
    (changed((("directory",), [{"address": "${b}@example.com", "site": "hq"}])), "holds the character '$'"),
    (changed((("directory",), [{"address": "b\u00f6b@example.com", "site": "hq"}])), "has a non-ASCII local part"),
    (changed((("directory",), [{"address": "bob@example.com", "site": "x"}])), "on the site 'x', which example.com"),
    (changed((("directory",), [])), "'directory' of example.com is an empty list"),
    (changed((("directory",), "nowhere.csv")), "the directory file 'nowhere.csv' does not exist (tried "),
    (changed((("directory",), "wrong_columns.csv")), "wrong_columns.csv, line 1 has no column 'address'"),
    (changed((("sites",), [])), "example.com has 0 site(s): a split domain needs at least two"),
    (changed((("sites", 1, "relay"), {"host": "mx\nx"})), "white space or a control character"),
    (changed((("sites", 1, "clients"), ["no network/28"])), "'no ********', which is no network"),
    (changed((("sites", 1, "local_transport"), "a b")), "write transport:nexthop"),
    (changed((("sites", 1, "name"), "${x}")), "has a site named '${x}'"),
    (changed((("sites",), "hq")), "write a list of sites"),
    (changed((("sites", 0, "hosts"), "mx1.example.com")), "write a list of servers"),
    ([], "split_domains is empty: describe at least one domain"),
    ("example.com", "split_domains is a text that is not shown: write a list of domains"),
    (None, "split_domains is nothing: write a list of domains"),
    ([None], "split_domains has an entry without 'domain'"),
    (7, "split_domains is 7"),
]

FILES = {
    "wrong_columns.csv": "mail,place\nbob@example.com,hq\n",
    "no_site.csv": "address\nbob@example.com\n",
    "too_many.csv": "address,site\nann@example.com,hq\nbob@example.com,hq,x\n",
    "other_domain.csv": "address,site\nbob@example.net,hq\n",
    "two_sites.csv": "address,site\nbob@example.com,hq\nBOB@example.com,cloud\n",
    "injection.csv": 'address,site\n"bob@example.com\n@example.com",hq\n',
    "expansion.csv": "address,site\n${bob}@example.com,hq\n",
    "not_ascii.csv": "address,site\nb\u00f6b@example.com,hq\n",
    "unknown_site.csv": "address,site\nbob@example.com,clowd\n",
    "empty.csv": "",
    "only_header.csv": "address,site\n",
    "quotes.csv": 'address,site\n"bob@example.com,hq\n',
}

SOURCES: list[tuple[Any, str]] = [
    ("wrong_columns.csv", "wrong_columns.csv, line 1 has no column 'address' (it has: mail, place)"),
    ("no_site.csv", "no_site.csv, line 1 has no column 'site' (it has: address)"),
    ("too_many.csv", "too_many.csv, line 3 has 3 columns where the header names 2 (address, site): fix it"),
    ("other_domain.csv", "line 2, column 'address': the address 'bob@example.net' does not belong to the split domain"),
    ("two_sites.csv", "two_sites.csv, line 2) and cloud ("),
    ("injection.csv", "line 3, column 'address': the address 'bob@example.com\\n@example.com' holds the character '@'"),
    ("expansion.csv", "line 2, column 'address': the address '${bob}@example.com' holds the character '$'"),
    ("not_ascii.csv", "has a non-ASCII local part"),
    ("unknown_site.csv", "on the site 'clowd', which example.com does not have: name one of cloud, hq"),
    ("empty.csv", "empty.csv, line 1 has no column 'address' (it has: nothing)"),
    ("only_header.csv", "lists no address: check the file"),
    ("quotes.csv", "is not CSV (unexpected end of data): fix the quotes"),
    ("nowhere.csv", "nowhere.csv"),
    ("a_folder", "cannot be read (Is a directory): check its path and permissions"),
    ([], "src"),
    (7, "7"),
    ({"a": 1}, "src"),
    ([None], "src"),
]
BASE: dict[str, Any] = {"domain": "example.com", "sites": {"hq": "local", "cloud": "198.51.100.20"}}
OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"sites": "hq"}, "sites"),
    ({"sites": ["hq"]}, "sites"),
    ({"sites": {"hq": "local", "cloud": 25}}, "the site cloud of example.com is 25"),
    ({"sites": {"hq": "local", "cloud": "a b"}}, "the site cloud of example.com goes to 'a ********'"),
    ({"sites": {}}, "which example.com does not have: name one of its sites in the option sites"),
    ({"domain": None}, "domain"),
    ({"domain": "${x}"}, "is not made of letters"),
    ({"domain": 7}, "ends in a number"),
    ({"domain": ["example.com"]}, "domain"),
    ({"routes": []}, "mutually exclusive"),
    ({"state": "gone"}, "state"),
    ({"site": ["hq"]}, "site"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {**FILES, "good.csv": "address,site\nbob@example.com,hq\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a_folder").mkdir()
    return tmp_path


def assert_all_refused(results: list[dict[str, Any]], cases: list[tuple[Any, str]]) -> None:
    for result, (value, message) in zip(results, cases):
        assert result.get("failed"), value
        said = str(result["msg"])
        assert message in said, f"{value}: {said}"
        assert "Traceback" not in said + str(result.get("exception", "")), value


def test_tasks_with_bad_directories_are_refused_and_nothing_is_written(untouched: SplitServer, folder: Path) -> None:
    before = untouched.files(), untouched.times()
    tasks = [{**BASE, "src": source} for source, _message in SOURCES]
    tasks += [{**BASE, "src": "good.csv", **options} for options, _message in OPTIONS]
    results = run_tasks(
        folder,
        [
            {"mailops.split_domain.recipient_routes": {**task, "config_directory": str(untouched.config)}}
            for task in tasks
        ],
    )
    assert_all_refused(results, [*SOURCES, *OPTIONS])
    assert (untouched.files(), untouched.times()) == before


def test_bad_split_maps_are_refused_by_the_filter_that_every_role_begins_with(folder: Path) -> None:
    results = run_tasks(
        folder,
        [
            {
                "ansible.builtin.set_fact": {
                    "plan": "{{ given | mailops.split_domain.server_plan('mx1.example.com', search=[playbook_dir]) }}"
                },
                "vars": {"given": value},
            }
            for value, _message in MAPS
        ],
    )
    assert_all_refused(results, MAPS)


@pytest.mark.parametrize("module", [server_roles, server_probes, mx_record_sets])
def test_the_other_filters_refuse_a_bad_map_alike(module: ModuleType) -> None:
    ((name, run),) = module.FilterModule().filters().items()
    arguments = () if name == "mx_record_sets" else ("mx1.example.com",)
    for value, message in [case for case in MAPS if "'directory'" not in str(case[0])]:
        with pytest.raises(AnsibleFilterError) as refusal:
            run(value, *arguments)
        assert message in str(refusal.value)
