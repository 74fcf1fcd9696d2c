"""How many commands one person may run, by a clock that is turned."""

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.pace import PersonalPace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_commands_may_come_at_once_and_the_next_one_when_there_is_room() -> None:
    clock = Clock()
    pace = PersonalPace(60, clock)

    assert [pace.take("alice") for _ in range(61)] == [0.0] * 60 + [1.0]
    clock.now = 0.75
    assert pace.take("alice") == 0.25
    clock.now = 1.0
    assert [pace.take("alice"), pace.take("alice"), pace.take("bob")] == [0.0, 1.0, 0.0]


@given(st.lists(st.floats(0, 90), max_size=40), st.integers(1, 20))
def test_within_a_minute_nobody_gets_more_than_twice_the_allowance(pauses: list[float], per_minute: int) -> None:
    clock = Clock()
    pace = PersonalPace(per_minute, clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        taken += [clock.now for _ in range(3) if pace.take("alice") == 0]

    assert all(sum(start <= at < start + 60 for at in taken) <= 2 * per_minute for start in taken)


def test_replicas_share_a_persons_allowance_also_when_one_joins() -> None:
    clock, count = Clock(), [2]
    paces = [PersonalPace(60, clock, lambda: count[0]) for _ in range(3)]

    assert [pace.take("alice") for pace in paces[:2] for _ in range(31)] == ([0.0] * 30 + [2.0]) * 2
    clock.now, count[0] = 60.0, 3
    assert [pace.take("alice") for pace in paces for _ in range(21)] == ([0.0] * 20 + [3.0]) * 3


def test_whoever_has_a_full_allowance_again_is_forgotten() -> None:
    clock = Clock()
    pace = PersonalPace(60, clock)
    for number in range(3_000):
        clock.now += 1
        pace.take(f"person {number}")

    assert len(pace._allowances) <= 1_001
