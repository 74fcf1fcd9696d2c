"""What the control API accepts."""

import pytest

from sandbox.clock import Clock
from sandbox.control import fault_of, turn_clock
from sandbox.faults import Fault


def test_a_fault_is_what_the_request_describes() -> None:
    order = {"part": "azure", "match": "^PUT .*/tokens/", "status": 429, "times": None, "headers": {"Retry-After": "1"}}

    assert fault_of(order) == Fault("azure", "^PUT .*/tokens/", status=429, times=None, headers={"Retry-After": "1"})


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"match": "x"}, "part is"),
        ({"part": "azure"}, "match is missing"),
        ({"part": "azure", "match": "("}, "regular expression"),
        ({"part": "azure", "match": "x", "action": "explode"}, "action is"),
        ({"part": "azure", "match": "x", "times": "2"}, "times is"),
        ({"part": "azure", "match": "x", "tims": 2}, "Unknown field 'tims'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(order: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        fault_of(order)


def test_the_clock_is_turned_and_stopped_by_one_order() -> None:
    clock = Clock()

    turn_clock(clock, {"turn": 3600, "stop": True})

    assert clock.stopped
    assert 3590 < clock.ahead <= 3600


@pytest.mark.parametrize("order", [{}, {"turn": "1h"}, {"turn": True}, {"spin": 1}])
def test_an_order_that_says_nothing_of_the_clock_is_refused(order: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Send"):
        turn_clock(Clock(), order)
