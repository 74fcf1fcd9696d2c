from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.model.errors import Denied
from services.model.operation import Decision
from services.model.people import Person, Place
from services.policy.access import ApprovalRule, Grant, Policy
from services.policy.approvals import able, assess_approver, check_possible, groups
from tests.unit.kit.declared import site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy.model_validate({"people": {"carol": "U0CAROL"}, "groups": {"approvers": "S0APPROVERS"}})
RULE = ApprovalRule(name="two of us", approvers=("approvers", "carol"), count=2)
APPROVERS = frozenset({"S0APPROVERS"})
ALICE = Person("U0ALICE", "alice", "T0", groups=APPROVERS)
BOB = Person("U0BOB", "bob", "T0", groups=APPROVERS)
CAROL = Person("U0CAROL", "carol", "T0")
DAVE = Person("U0DAVE", "dave", "T0")


def approval(person: Person) -> Decision:
    return Decision(1, person.id, person.name, "approve", NOW)


def why_not(person: Person, *decisions: Decision, rule: ApprovalRule = RULE, expires: datetime | None = None) -> str:
    assessment = assess_approver(
        POLICY, rule, requester=ALICE.id, decisions=decisions, person=person, now=NOW, expires=expires
    )
    return assessment.why_not


def test_who_is_named_or_in_a_named_group_decides() -> None:
    assert (why_not(BOB), why_not(CAROL)) == ("", "")


def test_others_are_told_whom_the_rule_leaves_it_to() -> None:
    assert why_not(DAVE) == "approval.not_approver"


def test_nobody_approves_their_own_unless_the_rule_says_so() -> None:
    assert why_not(ALICE) == "approval.self"
    assert why_not(ALICE, rule=RULE.model_copy(update={"self_approval": True})) == ""


def test_one_person_counts_once() -> None:
    assert why_not(BOB, approval(BOB)) == "approval.twice"


def test_an_expired_request_takes_no_decision() -> None:
    assert why_not(BOB, expires=NOW - timedelta(seconds=1)) == "approval.expired"


def test_it_is_done_when_enough_have_approved() -> None:
    assessment = assess_approver(
        POLICY, RULE, requester=ALICE.id, decisions=[approval(BOB), approval(CAROL)], person=DAVE, now=NOW
    )

    assert (assessment.done, assessment.approved, assessment.needed) == (True, 2, 2)


PLACE = Place("T0", "C0EDGE")
APPROVE_ALL = {"name": "approvers", "roles": ["approver"], "to": ["approvers", "carol"]}
BOB_ONLY = frozenset({"U0BOB"})


def who_could(grant: dict[str, Any], members: frozenset[str] | None) -> frozenset[str] | None:
    policy = POLICY.model_copy(update={"grants": (Grant.model_validate(grant),)})
    return able(policy, RULE, requester=ALICE.id, place=PLACE, site=None, members={"S0APPROVERS": members})


def test_a_request_that_nobody_could_approve_is_refused_at_once() -> None:
    policy = POLICY.model_copy(update={"grants": (Grant.model_validate(APPROVE_ALL),)})
    alone = {"S0APPROVERS": frozenset({"U0ALICE"})}

    with pytest.raises(Denied) as refusal:
        check_possible(policy, RULE, requester=ALICE.id, place=PLACE, site=None, members=alone)

    assert (refusal.value.rule, refusal.value.facts["able"]) == ("approval.nobody", 1)


def test_who_is_named_and_may_approve_could() -> None:
    assert who_could(APPROVE_ALL, frozenset({"U0ALICE", "U0BOB"})) == frozenset({"U0BOB", "U0CAROL"})


def test_who_is_named_without_the_right_to_approve_could_not() -> None:
    assert who_could(APPROVE_ALL | {"to": ["approvers"]}, BOB_ONLY) == BOB_ONLY


def test_who_may_approve_in_another_channel_could() -> None:
    assert who_could(APPROVE_ALL | {"channels": ["C0OTHER"]}, BOB_ONLY) == frozenset({"U0BOB", "U0CAROL"})


def test_a_request_that_nobody_reads_who_could_approve_is_refused() -> None:
    policy = POLICY.model_copy(update={"grants": (Grant.model_validate(APPROVE_ALL),)})
    members = {"S0APPROVERS": frozenset({"U0ALICE", "U0BOB"})}

    def check(readers: frozenset[str] | None) -> None:
        check_possible(policy, RULE, requester=ALICE.id, place=PLACE, site=None, members=members, readers=readers)

    check(None)
    check(frozenset({"U0ALICE", "U0BOB"}))
    with pytest.raises(Denied, match="unseen"):
        check(frozenset({"U0DAVE"}))


def test_unknown_groups_are_not_taken_for_empty_ones() -> None:
    assert groups(POLICY, RULE) == ("S0APPROVERS",)
    assert who_could(APPROVE_ALL, None) is None


def test_the_first_rule_that_matches_decides() -> None:
    rules = (RULE.model_copy(update={"environments": ("production",)}), RULE.model_copy(update={"name": "any"}))
    policy = Policy(approvals=rules)

    found = [policy.approval("deploy", at) for at in (site("a", "production"), site("b"))]
    assert [rule.name for rule in found if rule] == ["two of us", "any"]
