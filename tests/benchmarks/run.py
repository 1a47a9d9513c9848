# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# All benchmarks in one run: a table of ratios, the same as JSON, and an exit status that tells of a missed limit.

from __future__ import annotations

import json
import sys
from pathlib import Path

import mx_info
import mx_records
import recipient_routes
import site_playbook

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run every benchmark, print each row when it is measured, and write all of them to results.json."""
    results = []
    print(f"{'':<48}{'ours':>9}  {'reference':>9}  {'ratio':>7}  {'limit':>6}")
    for benchmark in (mx_records, mx_info, recipient_routes, site_playbook):
        for measured in benchmark.rows():
            results.append(measured)
            limit = measured["limit"]
            missed = limit is not None and float(str(measured["ratio"])) > float(str(limit))
            print(
                f"{measured['name']:<48}{measured['ours_s']:>8.3f}s  {measured['reference_s']:>8.3f}s  "
                f"{measured['ratio']:>7.2f}  {'none' if limit is None else limit:>6}"
                f"  beside {measured['reference']}{'  MISSED' if missed else ''}",
                flush=True,
            )
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed_limits = [
        entry for entry in results if entry["limit"] and float(str(entry["ratio"])) > float(str(entry["limit"]))
    ]
    print(f"{len(results)} ratios measured, {len(missed_limits)} beyond their limit; written to {RESULTS}")
    return 1 if missed_limits else 0


if __name__ == "__main__":
    sys.exit(main())
