# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A zone of a hundred thousand records is read, changed and compared in seconds, and in little memory.

from __future__ import annotations

import json
import subprocess
import sys

# Processor time, on a machine that does other work besides, and memory beyond that of the program and the text.
MOST_SECONDS = 10.0
MOST_MEBIBYTES = 200
WORK = """
import json, resource, time
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import (
    ZoneContents, zone_told_by
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.edit import (
    edit_zone, is_otherwise_equal
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

def used():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

lines = "".join(f"host{number} A 192.0.2.1\\n" for number in range(50_000))
top = "$ORIGIN example.com.\\n$TTL 60\\n@ SOA a b 1 2 3 4 5\\n@ MX 10 mx\\n$INCLUDE more\\n"
more = lines.replace("host", "other")
asked = []
def include(name):
    asked.append(name)
    return more
before, started = used(), time.process_time()
zone = zone_told_by(top + lines, "db", include)
contents = ZoneContents(parse_zone_text(top + lines, zone, "db", include), zone, "db")
wanted = {"example.com": MxSet.of([MxRecord(10, "mx.example.net")], 300)}
text = edit_zone(contents, wanted, 2)
after = ZoneContents(parse_zone_text(text, zone, "db", include, contents.text.parts), zone, "db")
is_equal = is_otherwise_equal(contents, after, wanted)
print(json.dumps([is_equal, time.process_time() - started, used() - before, asked]))
"""


def test_a_hundred_thousand_records_take_seconds_and_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    is_equal, seconds, mebibytes, included = json.loads(done.stdout)
    assert is_equal
    assert seconds < MOST_SECONDS
    assert mebibytes < MOST_MEBIBYTES
    # What did not change is read once.
    assert included == ["more"]
