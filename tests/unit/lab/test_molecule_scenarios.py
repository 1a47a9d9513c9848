# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Molecule's scenarios hold together: Molecule itself only warns of a missing playbook, and the run stays green.

from __future__ import annotations

from pathlib import Path

import prove_routing
import prove_topology
import pytest
import yaml
from laboratory.drifts import ROUNDS
from laboratory.expectations import CLOUD, FORMS, HQ
from laboratory.stories import TOPOLOGIES

SCENARIOS = Path(__file__).resolve().parents[3] / "extensions" / "molecule"
NAMES = sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml"))


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sequence(scenario):
    return read(SCENARIOS / scenario / "molecule.yml")["scenario"]["test_sequence"]


def steps_of(scenario):
    """Give each step with its playbook: the action's own, or what the scenario names for it."""
    named = read(SCENARIOS / scenario / "molecule.yml").get("ansible", {}).get("playbooks", {})
    for step in sequence(scenario):
        action, *playbooks = step.split()
        if action != "idempotence":
            yield action, SCENARIOS / scenario / named.get(action, f"{action}.yml"), playbooks


def test_there_is_a_scenario_for_each_form_and_topology_and_one_that_brings_the_servers():
    topologies = [path.parent.name for path in TOPOLOGIES.glob("*/story.yml")]
    assert sorted(["default", "master_slave", "own_users", "routing_modes", *topologies]) == NAMES
    assert "create" in sequence("default")
    assert "destroy" in sequence("default")


@pytest.mark.parametrize("scenario", NAMES)
def test_every_step_of_a_scenario_has_its_playbook(scenario):
    for action, usual, others in steps_of(scenario):
        # Molecule runs a step with a playbook of its own only where the action's usual one is there, too.
        for playbook in (usual, *(SCENARIOS / scenario / other for other in others)):
            assert playbook.is_file(), action


@pytest.mark.parametrize("scenario", [name for name in NAMES if name != "default"])
def test_every_scenario_splits_sends_mail_runs_again_and_gives_back(scenario):
    steps = [step.split()[0] for step in sequence(scenario)]
    assert steps.index("converge") < steps.index("verify") < steps.index("cleanup")
    # What "quiet" proves holds more than Molecule's own step: that nothing is touched or reloaded, too.
    proven = [proof for _action, playbook, _others in steps_of(scenario) for proof in proofs_of(playbook)]
    assert "idempotence" in steps or "quiet" in proven


def proofs_of(playbook):
    return [proof for play in read(playbook) for proof in play.get("vars", {}).get("proofs", [])]


def test_every_proof_of_a_topology_is_asked_for():
    asked = [proof for path in (SCENARIOS / "shared").glob("*.yml") for proof in proofs_of(path)]
    assert sorted(asked) == sorted(prove_topology.PROOFS)


def test_every_proof_of_routing_modes_is_asked_for():
    asked = [
        proof
        for path in (SCENARIOS / "routing_modes").glob("*.yml")
        if path.name != "molecule.yml"
        for play in read(path)
        for proof in play.get("vars", {}).get("proofs", [])
    ]
    assert sorted(asked) == sorted(prove_routing.PROOFS)


@pytest.mark.parametrize("scenario", ["master_slave", "own_users"])
def test_every_playbook_of_a_scenario_proves_the_form_of_its_split_map(scenario):
    arguments = read(SCENARIOS / scenario / "molecule.yml")["ansible"]["executor"]["args"]["ansible_playbook"]
    (form,) = [Path(argument).parent.name for argument in arguments if "/maps/" in argument]
    assert form in FORMS
    proven = {
        play["vars"]["form"]
        for path in (SCENARIOS / scenario).glob("*.yml")
        if path.name != "molecule.yml"
        for play in read(path)
        if "form" in play.get("vars", {})
    }
    assert proven == {form}


def test_both_sites_drift_in_every_round():
    for drifts in ROUNDS:
        assert {drift.host for drift in drifts} == {HQ, CLOUD}
