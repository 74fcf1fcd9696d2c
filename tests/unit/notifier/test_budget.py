"""How often Slack may be called, on a clock of the test's own."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages.budget import Budget


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_free_and_then_it_is_one_at_a_time(clock: Clock) -> None:
    budget = Budget(per_minute=60, burst=2, clock=clock)
    budget.take()
    budget.take()

    assert budget.wait() == pytest.approx(1)
    clock.now = 1
    assert budget.wait() == 0


def test_the_rate_is_shared_among_as_many_replicas_as_there_are(clock: Clock) -> None:
    replicas = 3
    budget = Budget(per_minute=60, burst=1, replicas=lambda: replicas, clock=clock)
    budget.take()

    assert budget.wait() == pytest.approx(3)
    replicas = 1
    assert budget.wait() == pytest.approx(1)


def test_what_is_kept_for_others_has_to_be_waited_for(clock: Clock) -> None:
    budget = Budget(per_minute=60, burst=3, clock=clock)
    budget.take()

    assert budget.wait(keep=1) == 0
    assert budget.wait(keep=2) == pytest.approx(1)


def test_a_429_closes_it_for_as_long_as_slack_says(clock: Clock) -> None:
    budget = Budget(per_minute=60, burst=5, clock=clock)
    budget.close(30)
    budget.close(10)
    clock.now = 20

    assert budget.wait() == pytest.approx(10)


async def test_taking_one_that_is_there_does_not_wait(clock: Clock) -> None:
    budget = Budget(per_minute=60, burst=1, clock=clock)
    await budget.taken()

    assert budget.wait() == pytest.approx(1)


@given(st.lists(st.floats(0, 30), max_size=60))
def test_no_more_calls_are_made_in_a_minute_than_allowed(pauses: list[float]) -> None:
    clock, made = Clock(), []
    budget = Budget(per_minute=45, burst=5, clock=clock)
    for pause in pauses:
        clock.now += max(pause, budget.wait())
        budget.take()
        made.append(clock.now)

    assert all(sum(start <= moment < start + 60 for moment in made) <= 50.001 for start in made)
