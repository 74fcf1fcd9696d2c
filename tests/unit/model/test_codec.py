"""Values to JSON and back, and what is never to be stored."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.azure import Pending
from services.model.codec import TAG, decode, encode
from services.model.errors import Failure, Refused
from services.model.people import Place
from services.model.plan import Finding, Plan, PlannedStep
from services.model.secret import Secret
from tests.golden.values import plan

NAMES = st.text(max_size=10).filter(lambda name: name != TAG)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20)
LEAVES = (
    PLAIN | MOMENTS | st.timedeltas(timedelta(0), timedelta(days=400)) | st.frozensets(st.text(max_size=5), max_size=4)
)
FACTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(NAMES, FACTS, max_size=4)
FINDINGS = st.builds(Finding, NAMES, st.sampled_from(["ok", "warning", "blocker", "unknown"]), NAMES, MAPPINGS)
STEPS = st.builds(PlannedStep, NAMES, MAPPINGS, st.sampled_from(["create", "reuse"]), MAPPINGS)
VALUES = (
    st.builds(Place, NAMES, NAMES)
    | st.builds(Pending, NAMES, NAMES)
    | st.builds(
        Plan,
        st.lists(STEPS, max_size=3).map(tuple),
        st.lists(FINDINGS, max_size=3).map(tuple),
        MAPPINGS,
        NAMES,
        MOMENTS,
    )
)


@given(FACTS | VALUES)
def test_what_was_stored_comes_back(value: object) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_a_whole_plan_comes_back() -> None:
    assert decode(json.loads(json.dumps(encode(plan())))) == plan()


def test_an_error_comes_back_with_its_facts() -> None:
    error = Refused("azure", "/acr", "InvalidScopeMap", "No.", "correlation")

    assert str(decode(json.loads(json.dumps(encode(error))))) == str(error)


@pytest.mark.parametrize(
    "value",
    [Secret("hunter2"), {"password": Secret("hunter2")}, (Failure("x", {"p": Secret("y")}),), ValueError("hunter2")],
)
def test_a_secret_or_a_foreign_exception_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not to be stored"):
        encode(value)


def test_a_field_of_an_older_version_is_left_out() -> None:
    assert decode({TAG: "Place", "team": "T", "channel": "C", "colour": "red"}) == Place("T", "C")
