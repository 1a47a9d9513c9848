# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that a server with the tables of an earlier state comes to those of today in one run, wherever that is killed.

from __future__ import annotations

import json
import re
from functools import partial

from halted_runs import interrupt_everywhere
from killed_runs import answers
from split_network import Network
from split_server import SplitServer, configured_server

PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}, "managed": True}
DOMAINS = [
    {"domain": "example.com", "unknown": "cloud", "call_ahead": False, "peers": [PEER]},
    {"domain": "example.org", "peers": [PEER]},
]
EARLIER = {
    "mail_domains": "domains",
    "question_of_domain": "whole_domain",
    "question_of_parent": "parent_domain",
    "received_domains": "received",
}
TODAY = {*EARLIER, "question_of_nobody", "wildcard_questions"}
EXPECTED = {
    "ann@example.com": "250",
    "bob@example.com": "250",
    "nobody@example.com": "250",
    "ann@example.org": "250",
    "nobody@example.org": "550 5.1.1",
    "nobody@sub.example.com": "554 5.7.1",
    "carl@example.net": "250",
    "nobody@example.net": "550 5.1.1",
}


def earlier(text: str) -> str:
    """Give a text of ours as it was when questions had the key ``@domain``."""
    for name, former in EARLIER.items():
        text = text.replace(f"split_domain/{name}", f"split_domain/{former}")
    text = text.replace(",$split_domain_no_local_part", "")
    return re.sub(r"pipemap:\{lmdb:[^,]*wildcard_questions,", "pipemap:{", text)


def bring_to_the_earlier_state(server: SplitServer) -> None:
    gone = ("split_domain_no_local_part", "unverified_recipient_reject_reason")
    lines = server.main_cf.read_text().splitlines(keepends=True)
    server.main_cf.write_text(earlier("".join(line for line in lines if not line.startswith(gone))))
    loan = server.ours / "main_cf.json"
    kept = {name: value for name, value in json.loads(loan.read_text()).items() if name not in gone}
    loan.write_text(earlier(json.dumps(kept, indent=2, sort_keys=True) + "\n"))
    for name, former in EARLIER.items():
        text = re.sub(r"^\?", "@", (server.ours / name).read_text(), flags=re.MULTILINE)
        (server.ours / former).write_text(text.replace("?$1", "@$1").replace("_cloud?", "_cloud@"))
        assert server.command("postmap", f"lmdb:{server.ours / former}").returncode == 0
    for path in [one for one in server.ours.iterdir() if one.stem in TODAY]:
        path.unlink()


def check_mail(server: SplitServer, when: str) -> None:
    said = {address: str(server.ask(address)) for address in EXPECTED}
    assert {one: said[one] for one, reply in EXPECTED.items() if not said[one].startswith(reply)} == {}, when


def test_tables_of_an_earlier_state_are_replaced_and_no_answer_changes_wherever_the_run_is_killed(
    network: Network,
) -> None:
    with configured_server(network, "hq") as server:
        for domain in ("example.com", "example.org"):
            routes = [{"address": f"ann@{domain}", "to": "local"}, {"address": f"bob@{domain}", "to": "198.51.100.20"}]
            server.routes(domain, routes=routes)
        server.split(*DOMAINS)
        wanted = answers(server)
        bring_to_the_earlier_state(server)
        server.start()
        server.wait_for_smtp()
        check_mail(server, "before")
        assert server.ask("<@example.com>").code == 250, "the fault that the earlier state had"
        look = partial(check_mail, server)
        assert interrupt_everywhere(server, look, "split_domains", domains=DOMAINS) == wanted
        check_mail(server, "in the end")
        assert server.ask("<@example.com>").code == 550
        assert not server.split(*DOMAINS)["changed"]
