# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What all tests share: how Hypothesis runs properties.

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is slow, which says nothing about the code; how fast that is, the benchmarks tell. What is drawn in
# vain costs only time, too.
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("without deadline", deadline=None, suppress_health_check=SLOW)
settings.load_profile("without deadline")
