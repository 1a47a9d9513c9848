# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Zone files as people write them, made at random, and what is wanted of the MX sets in them.

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

ZONE = "example.com"
NAMES = ("example.com", "www.example.com", "*.wild.example.com", "a.b.example.com", "new.example.com")
# Spellings at the origin example.com, and at sub.example.com.
OWNERS = {
    "example.com": (["@", "example.com.", "EXAMPLE.com."], ["example.com."]),
    "www.example.com": (
        ["www", "WwW", r"\119ww", r"w\ww", "www.example.com."],
        ["www.example.com.", "WWW.EXAMPLE.COM."],
    ),
    "*.wild.example.com": (["*.wild", "*.wild.example.com."], ["*.wild.example.com."]),
    "a.b.example.com": (["a.b", "A.b"], ["a.b.example.com."]),
    "x.sub.example.com": (["x.sub"], ["x"]),
    r"od\.d.example.com": ([r"od\.d", r"od\046d"], [r"od\.d.example.com."]),
}
EXCHANGES = ["mx1.example.com", "mx2.example.com", "mx.example.net", "example.com"]
SPELLED_EXCHANGES = {
    "mx1.example.com": "mx1.example.com.",
    "mx2.example.com": "MX2.Example.com.",
    "mx.example.net": "mx.example.net.",
    "example.com": "example.com.",
}
TTLS = {"": None, "300": 300, "1h": 3600, "1h30m": 5400, "0": 0, "2D": 172800}
GAPS = [" ", "\t", "  \t", "        "]
COMMENTS = ["", " ; a remark", '\t; with "half a string', ";tight ( parenthesis"]
OTHERS = [
    "A 192.0.2.1",
    "AAAA 2001:db8::1",
    'TXT "a ; in ( a string" two',
    r'TXT "escaped \" quote \\" \;x',
    "TXT ( one ; first\n two ) ; second",
    "TYPE65400 \\# 2 00ff",
    "SRV 0 5 5060 sip",
]
BETWEEN = ["", "   ", "; a line of its own", '\t; indented ( " remark', "$GENERATE 1-3 host-$ A 192.0.2.$"]


@dataclass(frozen=True)
class Made:
    """A zone file, and the lines of it that hold no MX record and no SOA."""

    text: str
    others: tuple[str, ...]


@st.composite
def zone_texts(draw: st.DrawFn, has_ttl: bool = True) -> Made:
    """Give a zone file, with ``$TTL`` at its top or without any."""
    soa_ttl = "" if has_ttl else draw(st.sampled_from(["", "700 "]))
    between = draw(st.sampled_from(["2026112100 ; the serial\n  1h 10m 5w 77", "7 1h 10m 5w 77"]))
    soa = f"@ {soa_ttl}IN SOA ns1 hostmaster.example.com. ({between} ) ; end"
    start = ["; a zone", "$TTL 1h ; for all"] if has_ttl else ["; a zone"]
    lines = [*start, soa, "\tNS ns1"]
    others = [*start, "\tNS ns1"]
    in_sub = False
    for _number in range(draw(st.integers(0, 9))):
        kind = draw(st.sampled_from(["record", "record", "record", "mx", "mx", "mx", "between", "origin", "ttl"]))
        if kind == "between":
            lines.append(draw(st.sampled_from(BETWEEN)))
        elif kind == "origin":
            in_sub = not in_sub
            lines.append("$ORIGIN sub.example.com. ; below" if in_sub else "$origin EXAMPLE.COM.")
        elif kind == "ttl":
            lines.append("$TTL 900" if has_ttl else "; no ttl")
        else:
            lines.append(_record(draw, kind == "mx", in_sub))
            if kind == "mx":
                continue
        others.append(lines[-1])
    # Some servers want the address of the zone's own server.
    lines.append("ns1.example.com. 60 A 192.0.2.53")
    others.append(lines[-1])
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n; the end"]))
    return Made(text.replace("\n", newline), tuple(one.replace("\n", newline) for one in others))


def _record(draw: st.DrawFn, is_mx: bool, in_sub: bool) -> str:
    owner = draw(st.sampled_from([*OWNERS, None]))
    spelled = "" if owner is None else draw(st.sampled_from(OWNERS[owner][in_sub]))
    head = draw(st.permutations([draw(st.sampled_from(["", "IN", "in"])), draw(st.sampled_from(list(TTLS)))]))
    gap = draw(st.sampled_from(GAPS))
    if is_mx:
        exchange = SPELLED_EXCHANGES[draw(st.sampled_from(EXCHANGES))]
        preference = draw(st.sampled_from(["10", "20", "030"]))
        kind = draw(st.sampled_from(["MX", "mx"]))
        data = draw(st.sampled_from([f"{kind} {preference} {exchange}", f"{kind} ( {preference}\n\t{exchange} )"]))
    else:
        data = draw(st.sampled_from(OTHERS))
    return spelled + gap + gap.join([*[one for one in head if one], data]) + draw(st.sampled_from(COMMENTS))


def wanted_sets() -> st.SearchStrategy[dict[str, MxSet]]:
    """Give MX sets for some names, each of which may be empty."""
    records = st.builds(MxRecord, st.sampled_from([10, 20, 30]), st.sampled_from(EXCHANGES))
    sets = st.builds(MxSet.of, st.lists(records, max_size=3), st.sampled_from([300, 3600, 4000]))
    return st.dictionaries(st.sampled_from(NAMES), sets, min_size=1, max_size=3)
