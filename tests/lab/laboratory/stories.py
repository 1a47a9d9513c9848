# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The story of a topology: what must happen to mail on servers that its split map describes, read from story.yml.
"""Stories: chapters of mail, each on servers in some state, as data.

``tests/lab/topologies/NAME/story.yml`` is a mapping:

- ``servers``: short names for hosts, which all that follows may use instead of inventory names;
- ``mailboxes``: host to a list of addresses that have a mailbox there, beside those of hosts.yml; a name without a
  domain is a Unix user, whose mailbox is the one of his addresses on that host;
- ``prepare``: host to a shell script that makes the server what it is before the split;
- ``chapters``: a list of ``{title, shell, map, fails, down, cut_off, mail}``. ``shell`` is a mapping of hosts to
  scripts, ``map`` a folder of the topology whose split map is run then, ``fails`` what that run has to fail with,
  ``down`` a host that is off while the mail is sent, ``cut_off`` one that is off the network.

A row of ``mail`` says who sends (``submit`` a host and ``from`` an address: a user of that host; ``at`` a host: a
stranger who hands it the message, or the host ``client`` does; neither: a stranger who goes by MX), ``to`` whom, and
what must happen: ``in`` (a host, a list of hosts or a mapping of hosts to mailboxes that get one copy each; with
``one_of`` any one of them), ``over`` (the servers on the way, where that matters), ``refused`` (code and enhanced
code), ``bounced`` (the sender gets one bounce, from the own server or from that host), ``held`` (the host that queues
it while another is down), ``deferred`` (450 while another is down) or ``answered`` (delivered, and a program answers,
on that host or anywhere). ``using`` names the extension of SMTP that the message needs (``8BITMIME``, ``SMTPUTF8``, or
``DSN``, which asks for an answer): it has to come in unharmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from laboratory.description import LAB_FOLDER, LabError
from laboratory.expectations import (
    OUTSIDE,
    STRANGER,
    Answered,
    Bounced,
    Copies,
    Deferred,
    Delivered,
    Expectation,
    Held,
    Must,
    Refused,
    site_name,
)
from laboratory.extensions import EXTENSIONS

TOPOLOGIES = LAB_FOLDER / "topologies"
_WHO = ("submit", "from", "at", "client", "to", "using")
_WHAT = ("in", "one_of", "over", "refused", "bounced", "held", "deferred", "answered")
_ROW_KEYS = frozenset(_WHO + _WHAT)


@dataclass(frozen=True)
class Chapter:
    """Mail that is sent while the servers are in one state."""

    title: str
    rows: tuple[Expectation, ...]
    map_folder: Path | None
    shell: Mapping[str, str]
    fails: str


@dataclass(frozen=True)
class Story:
    """All chapters of a topology, and what its servers have beside what hosts.yml gives them."""

    folder: Path
    mailboxes: Mapping[str, tuple[str, ...]]
    prepare: Mapping[str, str]
    chapters: tuple[Chapter, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The servers that the topology's playbook runs on."""
        inventory = yaml.safe_load((self.folder / "hosts.yml").read_text(encoding="utf-8"))
        return tuple(inventory["mail"]["hosts"])


@cache
def story(name: str) -> Story:
    """Read the story of the topology of that name; ``LabError`` where there is none."""
    folder = TOPOLOGIES / name
    if not (folder / "story.yml").exists():
        known = sorted(path.parent.name for path in TOPOLOGIES.glob("*/story.yml"))
        raise LabError(f"there is no topology {name}; there are {', '.join(known)}")
    raw = yaml.safe_load((folder / "story.yml").read_text(encoding="utf-8"))
    hosts = raw.get("servers", {})
    mailboxes = {hosts.get(place, place): tuple(found) for place, found in raw.get("mailboxes", {}).items()}
    servers = _Servers(hosts, mailboxes)
    return Story(
        folder=folder,
        mailboxes=servers.mailboxes,
        prepare={servers.host(place): script for place, script in raw.get("prepare", {}).items()},
        chapters=tuple(_chapter(folder, chapter, servers) for chapter in raw["chapters"]),
    )


@dataclass(frozen=True)
class _Servers:
    """The short names that a story has for hosts, and the mailboxes that it gives to each host."""

    hosts: Mapping[str, str]
    mailboxes: Mapping[str, tuple[str, ...]]

    def host(self, name: str) -> str:
        """Give the inventory name of a host that the story calls ``name``."""
        return self.hosts.get(name, name)

    def name(self, host: str) -> str:
        """Give what the story calls a host."""
        return next((name for name, called in self.hosts.items() if called == host), site_name(host))

    def mailbox(self, name: str, address: str) -> str:
        """Give the mailbox of an address on a host: that of the Unix user where one is called so."""
        local_part, _at, domain = address.lower().partition("@")
        user = local_part.split("+", 1)[0]
        return user if user in self.mailboxes.get(self.host(name), ()) else f"{user}@{domain}"


def _chapter(folder: Path, raw: Mapping[str, Any], servers: _Servers) -> Chapter:
    down, cut = servers.host(raw.get("down", "")), servers.host(raw.get("cut_off", ""))
    return Chapter(
        title=raw["title"],
        rows=tuple(_row(row, down or cut, bool(cut), servers) for row in raw.get("mail", ())),
        map_folder=folder / raw["map"] if "map" in raw else None,
        shell={servers.host(place): script for place, script in raw.get("shell", {}).items()},
        fails=raw.get("fails", ""),
    )


def _row(row: Mapping[str, Any], down: str, cut: bool, servers: _Servers) -> Expectation:
    if not set(row) <= _ROW_KEYS:
        raise LabError(f"a row has the keys {sorted(set(row) - _ROW_KEYS)}, which nobody reads: {dict(row)}")
    host, server, sender = OUTSIDE, "localhost", row.get("from", STRANGER)
    who = "outside"
    if "submit" in row:
        host = servers.host(row["submit"])
        who = f"a user on {servers.name(host)}"
    elif "at" in row:
        host, server = servers.host(row.get("client", OUTSIDE)), servers.host(row["at"])
        who = f"{'outside' if host == OUTSIDE else servers.name(host)}, at {servers.name(server)}"
    who = f"{who}, {servers.name(down)} {'cut off' if cut else 'stopped'}" if down else who
    extension = row.get("using", "")
    if extension not in EXTENSIONS:
        raise LabError(f"a row uses {extension}; it can use one of {', '.join(filter(None, EXTENSIONS))}")
    who = f"{who}, {extension}" if extension else who
    must = _must(row, host, sender, servers)
    return Expectation(who, host, server, sender, row["to"], must, down, cut_off=cut, extension=extension)


def _must(row: Mapping[str, Any], host: str, sender: str, servers: _Servers) -> Must:
    if "refused" in row:
        code, enhanced = str(row["refused"]).split(" ")
        return Refused((int(code),), (enhanced,), str(row["refused"]))
    if "bounced" in row:
        by = host if row["bounced"] is True else servers.host(row["bounced"])
        return Bounced(host, servers.mailbox(host, sender), by)
    delivered = _delivered(row, servers)
    if "held" in row:
        return Held(servers.host(row["held"]), delivered)
    if row.get("answered") and isinstance(delivered, Delivered):
        by = "" if row["answered"] is True else servers.host(row["answered"])
        return Answered(delivered, host, servers.mailbox(host, sender), by)
    if row.get("deferred") and isinstance(delivered, Delivered):
        return Deferred(delivered)
    return delivered


def _delivered(row: Mapping[str, Any], servers: _Servers) -> Delivered | Copies:
    places = [row["in"]] if isinstance(row["in"], str) else row["in"]
    if not isinstance(places, Mapping):
        places = {place: servers.mailbox(place, row["to"]) for place in places}
    over = tuple(servers.host(place) for place in row["over"]) if "over" in row else None
    found = tuple(
        Delivered(servers.host(place), box, over)
        for place, boxes in places.items()
        for box in ([boxes] if isinstance(boxes, str) else boxes)
    )
    return found[0] if len(found) == 1 else Copies(found, bool(row.get("one_of")))
