from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.model.people import Person, Place
from services.policy.access import PERMISSIONS, Policy
from tests.unit.kit.declared import site

BERLIN, HAMBURG = site("berlin"), site("hamburg", "production")
HERE, THERE = Place("T0", "C0HERE"), Place("T0", "C0THERE")
ALICE = Person("U0ALICE", "alice", "T0", groups=frozenset({"S0OPS1", "edge-ops"}))
BOB = Person("U0BOB", "bob", "T0")
GUEST = Person("U0GUEST", "greta", "T0", is_guest=True)
EXTERNAL = Person("U0EVE", "eve", "T9", is_external=True)

POLICY = Policy.model_validate(
    {
        "people": {"bob": "U0BOB", "greta": "U0GUEST"},
        "groups": {"ops": "edge-ops"},
        "grants": [
            {"name": "look", "roles": ["viewer"], "to": ["everyone"]},
            {"name": "ops run development", "roles": ["operator"], "to": ["ops"], "environments": ["development"]},
            {"name": "bob in there", "roles": ["admin"], "to": ["bob"], "channels": ["C0THERE"]},
        ],
        "denials": [
            {
                "name": "no approvals in hamburg",
                "permissions": ["operation:approve"],
                "to": ["bob"],
                "sites": ["hamburg"],
            }
        ],
    }
)


def test_the_grant_that_decides_is_named() -> None:
    decision = POLICY.decide(ALICE, HERE, "registry:write", BERLIN)

    assert (decision.allowed, decision.rule) == (True, "ops run development")


def test_what_nobody_gave_is_refused_with_the_roles_that_have_it() -> None:
    decision = POLICY.decide(ALICE, HERE, "operation:approve", BERLIN)

    assert (decision.allowed, decision.rule) == (False, "permission")
    assert decision.facts["roles"] == ("approver", "admin")


def test_another_site_s_grant_is_told_as_such() -> None:
    decision = POLICY.decide(ALICE, HERE, "registry:write", HAMBURG)

    assert (decision.rule, decision.facts["environment"]) == ("site", "production")


def test_another_channel_s_grant_is_told_as_such() -> None:
    decision = POLICY.decide(BOB, HERE, "registry:write", BERLIN)

    assert (decision.rule, decision.facts["channels"]) == ("channel", ("C0THERE",))


def test_a_denial_wins_over_every_grant() -> None:
    decision = POLICY.decide(BOB, THERE, "operation:approve", HAMBURG)

    assert (decision.allowed, decision.facts["name"]) == (False, "no approvals in hamburg")


def test_a_denial_for_one_site_leaves_the_others() -> None:
    assert POLICY.decide(BOB, THERE, "operation:approve", BERLIN).allowed
    assert POLICY.decide(BOB, THERE, "operation:approve").allowed


def test_guests_are_refused_unless_named() -> None:
    named = POLICY.model_copy(
        update={"grants": (*POLICY.grants, POLICY.grants[2].model_copy(update={"to": ("greta",)}))}
    )

    assert POLICY.decide(GUEST, HERE, "registry:read", BERLIN).rule == "guest"
    assert named.decide(GUEST, THERE, "registry:read", BERLIN).allowed
    assert not named.decide(GUEST, HERE, "registry:read", BERLIN).allowed


def test_where_strangers_read_nobody_is_answered_unless_the_file_says_so() -> None:
    shared = Place("T0", "C0HERE", is_shared=True)

    assert POLICY.decide(ALICE, shared, "registry:read").rule == "channel.shared"
    assert POLICY.model_copy(update={"shared_channels": True}).decide(ALICE, shared, "registry:read").allowed


def test_changes_need_a_channel_that_the_bot_is_in() -> None:
    outside = Place("T0", "C0HERE", is_member=False)

    assert POLICY.decide(ALICE, outside, "registry:write", BERLIN, changes=True).rule == "channel.not_member"
    direct, group = replace(outside, channel="D0HERE"), replace(outside, channel_name="mpdm-alice--bob-1")
    assert POLICY.decide(ALICE, direct, "registry:write", BERLIN, changes=True).rule == "channel.direct"
    assert POLICY.decide(ALICE, group, "registry:write", BERLIN, changes=True).rule == "channel.direct"
    assert POLICY.decide(ALICE, outside, "registry:read", BERLIN).allowed


@given(st.sampled_from(sorted(PERMISSIONS)), st.sampled_from([HERE, THERE]), st.sampled_from([None, BERLIN, HAMBURG]))
def test_people_of_other_workspaces_may_nothing(permission: str, place: Place, at: object) -> None:
    assert not POLICY.decide(EXTERNAL, place, permission, at).allowed  # type: ignore[arg-type]  # drawn from sites


@given(st.sampled_from(sorted(PERMISSIONS)), st.sampled_from([ALICE, BOB, GUEST]), st.sampled_from([BERLIN, HAMBURG]))
def test_without_grants_nobody_may_anything(permission: str, person: Person, at: object) -> None:
    assert not Policy().decide(person, HERE, permission, at).allowed  # type: ignore[arg-type]  # drawn from sites
