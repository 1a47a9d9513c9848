# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of postfix_map on a running Postfix: what lookups and mail see of a table.

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from postfix_instance import Instance

TYPES = ["lmdb", "hash", "texthash"]


@pytest.fixture
def path(instance: Instance) -> Path:
    return instance.config / "table"


def test_new_mailbox_takes_mail_without_anybody_reloading(instance: Instance) -> None:
    mailboxes = instance.config / "mailboxes"
    instance.map(path=str(mailboxes), entries={"alice@example.com": "alice"})
    instance.start()
    assert instance.answer_to("bob@example.com") == 550
    result = instance.map(path=str(mailboxes), entries={"Bob@Example.com": "bob"})
    assert result["changed"]
    assert instance.answer_to("bob@example.com") == 250
    instance.send("BOB@example.com", "hello bob")
    assert instance.mailbox("bob", "hello bob"), instance.log()
    instance.map(path=str(mailboxes), entries=["bob@example.com"], state="absent")
    assert instance.answer_to("bob@example.com") == 550
    assert instance.answer_to("alice@example.com") == 250


@pytest.mark.parametrize("kind", TYPES)
def test_second_run_changes_nothing(instance: Instance, path: Path, kind: str) -> None:
    arguments = {"path": str(path), "type": kind, "entries": {"a@x": "1", "b@x": "2"}}
    assert instance.map(**arguments)["changed"]
    before = instance.files(), instance.times()
    again = instance.map(**arguments)
    assert not again["changed"]
    assert again["reasons"] == []
    assert (instance.files(), instance.times()) == before


@pytest.mark.parametrize("kind", TYPES)
def test_check_mode_tells_what_the_run_does_and_writes_nothing(instance: Instance, path: Path, kind: str) -> None:
    path.write_text("a@x 1\n")
    before = instance.files()
    arguments = {"path": str(path), "type": kind, "entries": {"a@x": "2", "b@x": "3"}, "state": "exact"}
    foretold = instance.map(check=True, **arguments)
    assert instance.files() == before
    done = instance.map(**arguments)
    assert foretold == done
    assert instance.lookup(f"{kind}:{path}", "b@x") == "3"


def test_diff_shows_the_changed_text(instance: Instance, path: Path) -> None:
    path.write_text("# ours\na@x 1\n")
    result = instance.map(path=str(path), entries={"a@x": "2"})
    assert result["diff"][0]["before"] == "# ours\na@x 1\n"
    assert result["diff"][0]["after"] == "# ours\na@x 2\n"
    assert result["changes"] == [{"key": "a@x", "before": "1", "after": "2"}]


def test_same_entries_in_another_spelling_are_no_change(instance: Instance, path: Path) -> None:
    text = "# by hand\nB@x\t  2\n\na@x 1\n"
    path.write_text(text)
    instance.command("postmap", f"lmdb:{path}")
    result = instance.map(path=str(path), entries={"A@x": "1", "b@X": "2"}, state="exact")
    assert not result["changed"]
    assert path.read_text() == text


def _lose(index: Path) -> None:
    index.unlink()


def _empty(index: Path) -> None:
    index.write_bytes(b"")


def _break(index: Path) -> None:
    index.write_bytes(b"broken" * 1000)


def _cut(index: Path) -> None:
    os.truncate(index, index.stat().st_size // 2)


@pytest.mark.parametrize("kind", ["lmdb", "hash"])
@pytest.mark.parametrize("damage", [_lose, _empty, _break, _cut])
def test_damaged_index_is_found_and_repaired(instance: Instance, path: Path, kind: str, damage) -> None:  # type: ignore[no-untyped-def]
    arguments = {"path": str(path), "type": kind, "entries": {f"user{n}@x": f"{n}" for n in range(3000)}}
    index = Path(instance.map(**arguments)["index"])
    damage(index)
    foretold = instance.map(check=True, **arguments)
    assert foretold["changed"]
    assert any("index" in reason for reason in foretold["reasons"])
    assert instance.map(**arguments)["changed"]
    assert instance.lookup(f"{kind}:{path}", "user2999@x") == "2999"
    assert not instance.map(**arguments)["changed"]


@pytest.mark.parametrize("kind", ["lmdb", "hash"])
def test_text_that_somebody_edited_gets_its_index(instance: Instance, path: Path, kind: str) -> None:
    instance.map(path=str(path), type=kind, entries={"a@x": "1"})
    path.write_text("a@x 1\nb@x 2\n")
    result = instance.map(path=str(path), type=kind, entries={"a@x": "1"})
    assert "the index is older than the text" in result["reasons"]
    assert instance.lookup(f"{kind}:{path}", "b@x") == "2"


def test_index_with_other_answers_than_its_text_is_repaired(instance: Instance, path: Path) -> None:
    instance.map(path=str(path), type="lmdb", entries={"a@x": "1"})
    instance.command("postmap", "-i", "-r", f"lmdb:{path}", stdin="a@x 9\n")
    assert instance.map(path=str(path), type="lmdb", entries={"a@x": "1"})["changed"]
    assert instance.lookup(f"lmdb:{path}", "a@x") == "1"


def test_upper_case_keys_of_a_large_table_are_found(instance: Instance, path: Path) -> None:
    text = "".join(f"User{number}@Example.com smtp:[mx{number}.example.net]:25\n" for number in range(200_000))
    source = instance.directory / "source"
    source.write_text(text)
    for _time in range(2):
        instance.map(path=str(path), type="lmdb", src=str(source))
        assert instance.lookup(f"lmdb:{path}", "user199999@example.com") == "smtp:[mx199999.example.net]:25"
        source.write_text(text.replace("User5@", "User6@"))


def test_one_change_in_a_large_table_reaches_its_index(instance: Instance, path: Path) -> None:
    lines = [f"user{number}@example.com local:\n" for number in range(20_000)]
    source = instance.directory / "source"
    source.write_text("".join(lines))
    instance.map(path=str(path), type="lmdb", src=str(source))
    lines[7] = "USER7@example.com relay:[mx]\n"
    del lines[9]
    source.write_text("".join(lines))
    result = instance.map(path=str(path), type="lmdb", src=str(source))
    assert result["due"] == "none"
    assert result["counts"] == {"before": 20_000, "after": 19_999, "added": 0, "changed": 1, "removed": 1}
    answers = [instance.lookup(f"lmdb:{path}", f"user{number}@example.com") for number in (7, 8, 9, 10)]
    assert answers == ["relay:[mx]", "local:", None, "local:"]


@pytest.mark.parametrize("kind", ["hash", "texthash", "cidr"])
def test_type_that_processes_do_not_reread_is_followed_by_one_reload(instance: Instance, path: Path, kind: str) -> None:
    instance.map(path=str(instance.config / "mailboxes"), entries={"alice@example.com": "alice"})
    instance.start()
    arguments = {"path": str(path), "type": kind, "entries": {"192.0.2.1": "REJECT"}}
    assert instance.map(**arguments)["due"] == "reload"
    assert instance.logged("reload -- version") == 1
    assert instance.map(**arguments)["due"] == "none"
    assert instance.logged("reload -- version") == 1


def test_reload_that_was_left_to_others_is_made_up_for(instance: Instance, path: Path) -> None:
    instance.map(path=str(instance.config / "mailboxes"), entries={"alice@example.com": "alice"})
    instance.start()
    arguments = {"path": str(path), "type": "texthash", "entries": {"a@x": "1"}}
    instance.map(reload="never", **arguments)
    assert instance.logged("reload -- version") == 0
    assert instance.map(**arguments)["changed"]
    assert instance.logged("reload -- version") == 1
    assert not instance.map(**arguments)["changed"]


def test_secret_is_in_the_table_and_nowhere_else(instance: Instance, path: Path) -> None:
    path.write_text("[h]:587 user:old-password\n")
    result = instance.map(path=str(path), secret_entries={"[h]:587": "user:new-password"})
    assert "password" not in str(result)
    assert result["changes"] == [{"key": "[h]:587", "before": "********", "after": "********"}]
    assert instance.lookup(result["table"], "[h]:587") == "user:new-password"
    for file in (path, Path(result["index"])):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_mode_and_owner_hold_for_text_and_index(instance: Instance, path: Path) -> None:
    arguments = {"path": str(path), "entries": {"a@x": "1"}, "owner": "postfix", "group": "postfix", "mode": "0640"}
    result = instance.map(**arguments)
    for file in (path, Path(result["index"])):
        assert (file.owner(), file.group(), stat.S_IMODE(file.stat().st_mode)) == ("postfix", "postfix", 0o640)
    assert not instance.map(**arguments)["changed"]
    Path(result["index"]).chmod(0o644)
    assert instance.map(**arguments)["changed"]
    assert stat.S_IMODE(Path(result["index"]).stat().st_mode) == 0o640


def test_owner_and_mode_that_are_not_mentioned_stay(instance: Instance, path: Path) -> None:
    path.write_text("a@x 1\n")
    path.chmod(0o640)
    os.chown(path, -1, 4)
    instance.map(path=str(path), entries={"a@x": "2"})
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o640, 4)


def test_values_that_only_the_owner_may_read_are_in_no_result(instance: Instance, path: Path) -> None:
    instance.map(path=str(path), secret_entries={"a@x": "hidden-one", "b@x": "hidden-two"})
    gone = instance.map(path=str(path), state="absent", entries=["a@x"])
    removed = instance.map(path=str(path), state="removed")
    assert gone["changed"] and removed["changed"]
    assert "hidden" not in str(gone) + str(removed)


def test_an_index_of_somebody_else_is_not_kept_when_the_table_changes(instance: Instance, path: Path) -> None:
    entries = {f"u{number}@x": "1" for number in range(500)}
    instance.map(path=str(path), entries=entries)
    assert instance.command("postmap", "-i", f"lmdb:{path}", stdin="stale@x 2\n").returncode == 0
    instance.map(path=str(path), entries={"new@x": "3"}, state="present")
    assert instance.lookup(f"lmdb:{path}", "new@x") == "3"
    assert not instance.lookup(f"lmdb:{path}", "stale@x")


def test_removed_table_leaves_nothing(instance: Instance, path: Path) -> None:
    before = instance.files()
    instance.map(path=str(path), entries={"a@x": "1"}, reload="auto")
    assert instance.map(path=str(path), state="removed")["changed"]
    assert instance.files() == before
    assert not instance.map(path=str(path), state="removed")["changed"]


@pytest.mark.parametrize(
    "spelling",
    [
        "lmdb:{path}",
        "pipemap:{{lmdb:{path}, static:OK}}",
        "lmdb:$config_directory/table",
        "lmdb:$ours/{path.name}\nours = {path.parent}",
        "lmdb:{path.parent}/../{path.parent.name}//{path.name}",
    ],
)
def test_table_in_use_is_not_removed(instance: Instance, path: Path, spelling: str) -> None:
    instance.map(path=str(path), entries={"a@x": "1"})
    with instance.main_cf.open("a") as file:
        file.write(f"transport_maps = {spelling.format(path=path)}\n")
    result = instance.map(path=str(path), state="removed")
    assert result["failed"]
    assert "in use by transport_maps" in result["msg"]
    assert instance.lookup(f"lmdb:{path}", "a@x") == "1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"entries": {"a@x\nb@x": "1"}}, "cannot be written to a table"),
        ({"entries": {"a x": "1"}}, "cannot be written to a table"),
        ({"entries": {"a@x": "1\n* REJECT"}}, "cannot be written to a table"),
        ({"entries": {"a@x": ""}}, "no text"),
        ({"entries": {"a@x": True}}, "put quotes"),
        ({"entries": ["a@x"]}, "no value"),
        ({"entries": [{"key": "a@x", "value": "1"}, {"key": "A@x", "value": "2"}]}, "given twice"),
        ({"content": "a@x 1\nlonely\n"}, "Line 2"),
        ({"content": "10.0.0.0/99 REJECT\n", "type": "cidr"}, "does not take the text"),
        ({"content": "/unclosed REJECT\n", "type": "regexp"}, "does not take the text"),
        ({"entries": {"/a/": "OK"}, "type": "regexp"}, "content or src"),
        ({"entries": {"a@x": "1"}, "type": "frob"}, "not one that is kept in a text file"),
        ({"entries": {"a@x": "1"}, "mode": 644}, "octal number"),
        ({"entries": {"a@x": "1"}, "owner": "nobody-of-that-name"}, "not known on this server"),
        ({}, "Nothing says"),
        ({"state": "absent", "content": "a@x 1"}, "removed"),
        ({"src": "/nonexistent"}, "managed server"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(instance: Instance, path: Path, arguments, message) -> None:  # type: ignore[no-untyped-def]
    before = instance.files()
    result = instance.map(path=str(path), **arguments)
    assert result.get("failed"), result
    assert message in result["msg"]
    assert instance.files() == before


def test_path_that_main_cf_could_not_name_is_refused(instance: Instance) -> None:
    for path in ("relative", f"{instance.config}/a b", f"{instance.config}/a,b", f"{instance.config}/{{a}}"):
        assert "absolute path" in instance.map(path=path, entries={"a": "1"})["msg"]


def test_server_without_postfix_is_told_plainly(instance: Instance, path: Path) -> None:
    instance.main_cf.unlink()
    result = instance.map(path=str(path), entries={"a": "1"})
    assert "Postfix has no configuration on this server" in result["msg"]


def test_check_mode_before_postfix_is_installed_foretells_a_change(instance: Instance, path: Path) -> None:
    missing = str(instance.config / "missing")
    result = instance.map(check=True, path=str(path), entries={"a": "1"}, config_directory=missing)
    assert (result["changed"], result["installed"]) == (True, False)
    assert "install Postfix first" in instance.map(path=str(path), entries={"a": "1"}, config_directory=missing)["msg"]
