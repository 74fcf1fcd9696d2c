"""Crontab expressions: what they mean, when they are due across clock changes, and how faults are marked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.views import schedules
from handlers.views.errors import explanation, plain
from services.model.errors import Invalid
from services.policy.cron import Cron, parse
from services.policy.timezones import zone_or_utc

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def utc(*parts: int) -> datetime:
    year, month, day, *time = parts
    hour, minute = (*time, 0, 0)[:2]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def wall(cron: Cron, after: datetime, n: int = 3) -> list[str]:
    """Due times as a clock on the wall there shows them."""
    zone = ZoneInfo(cron.tz)
    return [f"{due.astimezone(zone):%a %Y-%m-%d %H:%M %Z}" for due in cron.next(after, n)]


# --- meaning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 9 * * 1-5", "at 09:00 on Monday to Friday"),
        ("0 9 * * MON-FRI", "at 09:00 on Monday to Friday"),
        ("0 9 * * 0", "at 09:00 on Sunday"),
        ("0 9 * * 7", "at 09:00 on Sunday"),
        ("0 9 * * 5-7", "at 09:00 on Friday to Sunday"),
        ("0 9 * * sat,sun", "at 09:00 on Saturday and Sunday"),
        ("0 9 * * fri-sun", "at 09:00 on Friday to Sunday"),
        ("0 9 * * *", "at 09:00 every day"),
        ("0 9,17 * * *", "at 09:00 and 17:00 every day"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour"),
        ("5 * * * *", "at 5 minutes past every hour"),
        ("0 */2 * * *", "every 2 hours"),
        ("0 8-18 * * *", "every hour from 08:00 to 18:00"),
        ("*/10 8-17 * * 1-5", "every 10 minutes from 08:00 to 17:59 on Monday to Friday"),
        ("0 6 1,15 * *", "at 06:00 on the 1st and 15th of the month"),
        ("0 6 1 * 1", "at 06:00 on the 1st of the month and also on Monday"),
        ("0 6 1 jan,jul *", "at 06:00 on the 1st of the month in January and July"),
        ("0 9 * jan-mar *", "at 09:00 every day in January to March"),
        ("30 22 29 2 *", "at 22:30 on the 29th of the month in February"),
        ("@weekly", "at 00:00 on Sunday"),
    ],
)
def test_an_expression_is_read_back_in_words(expression: str, words: str) -> None:
    assert schedules.words(parse(expression)) == words


def test_the_day_of_the_week_means_what_crontab_means_by_it() -> None:
    assert wall(parse("0 9 * * 1"), utc(2026, 3, 4), 1) == ["Mon 2026-03-09 09:00 UTC"]
    assert wall(parse("0 9 * * 0"), utc(2026, 3, 4), 1) == ["Sun 2026-03-08 09:00 UTC"]


def test_two_restricted_day_fields_mean_either() -> None:
    assert wall(parse("0 9 13 * 5"), utc(2026, 3, 10)) == [
        "Fri 2026-03-13 09:00 UTC",
        "Fri 2026-03-20 09:00 UTC",
        "Fri 2026-03-27 09:00 UTC",
    ]
    assert wall(parse("0 9 15 * 5"), utc(2026, 3, 14), 1) == ["Sun 2026-03-15 09:00 UTC"]


def test_a_day_field_that_begins_with_a_star_means_both() -> None:
    assert wall(parse("0 9 */2 * 5"), utc(2026, 3, 10), 1) == ["Fri 2026-03-13 09:00 UTC"]
    assert wall(parse("0 9 */2 * 5"), utc(2026, 3, 14), 1) == ["Fri 2026-03-27 09:00 UTC"]


def test_the_latest_due_time_is_the_moment_itself_when_it_is_due() -> None:
    cron = parse("0 9 * * 1-5")

    assert cron.latest(utc(2026, 3, 6, 9, 0)) == utc(2026, 3, 6, 9, 0)
    assert cron.latest(utc(2026, 3, 8, 23, 59)) == utc(2026, 3, 6, 9, 0)


# --- clock changes --------------------------------------------------------------------------------------------------


def test_a_skipped_time_is_due_once_right_after_the_gap() -> None:
    assert wall(parse("30 2 * * *", "Europe/Berlin"), utc(2026, 3, 28)) == [
        "Sat 2026-03-28 02:30 CET",
        "Sun 2026-03-29 03:00 CEST",
        "Mon 2026-03-30 02:30 CEST",
    ]


def test_several_skipped_times_are_due_together() -> None:
    assert wall(parse("0,30 2,3 * * *", "Europe/Berlin"), utc(2026, 3, 29)) == [
        "Sun 2026-03-29 03:00 CEST",
        "Sun 2026-03-29 03:30 CEST",
        "Mon 2026-03-30 02:00 CEST",
    ]


def test_a_doubled_time_is_due_the_first_time_only() -> None:
    assert wall(parse("30 2 * * *", "Europe/Berlin"), utc(2026, 10, 24, 12)) == [
        "Sun 2026-10-25 02:30 CEST",
        "Mon 2026-10-26 02:30 CET",
        "Tue 2026-10-27 02:30 CET",
    ]


def test_a_doubled_time_stays_done_when_asked_between_its_two_occurrences() -> None:
    cron = parse("30 2 * * *", "Europe/Berlin")

    assert cron.next(utc(2026, 10, 25, 1, 10), 1) == (utc(2026, 10, 26, 1, 30),)
    assert cron.latest(utc(2026, 10, 25, 1, 45)) == utc(2026, 10, 25, 0, 30)


def test_an_hourly_schedule_keeps_on_through_both_changes() -> None:
    cron = parse("0 * * * *", "Europe/Berlin")

    spring, autumn = cron.next(utc(2026, 3, 28, 23), 4), cron.next(utc(2026, 10, 24, 23), 4)

    assert [one.hour for one in spring] == [0, 1, 2, 3]
    assert [one.hour for one in autumn] == [0, 1, 2, 3]


def test_a_change_at_midnight_keeps_the_day() -> None:
    cron = parse("0 0 * * *", "America/Santiago")

    assert wall(cron, utc(2026, 9, 5), 2) == ["Sat 2026-09-05 00:00 -04", "Sun 2026-09-06 01:00 -03"]


fixed = st.builds(
    "{} {} * * {}".format, st.integers(0, 59), st.integers(0, 23), st.sampled_from(["*", "0", "1-5", "6"])
)
steps = st.builds("*/{} {} * * *".format, st.sampled_from([5, 15, 30]), st.sampled_from(["*", "0-5", "1,2,3", "22-23"]))
hourly = st.builds("{} * * * *".format, st.integers(0, 59))
zones = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Asia/Kolkata",
        "Africa/Cairo",
    ]
)
changes = st.sampled_from(
    [
        utc(2026, 3, 28),
        utc(2026, 10, 24),
        utc(2026, 3, 7),
        utc(2026, 10, 31),
        utc(2026, 4, 4),
        utc(2026, 9, 5),
        utc(2026, 4, 24),
    ]
)


def naive(cron: Cron, begin: datetime, end: datetime) -> list[datetime]:
    """Due times in [begin, end), minute by minute of a wall's clock."""
    zone = ZoneInfo(cron.tz)
    minute, hour, _, _, weekday = cron.expression.split()
    every_hour = hour == "*"
    found = set()
    at = begin.replace(tzinfo=None) - 2 * DAY
    while at < end.replace(tzinfo=None) + 2 * DAY:
        if _has(minute, at.minute) and _has(hour, at.hour) and _has(weekday, (at.weekday() + 1) % 7):
            found |= _instants(at, zone, every_hour=every_hour)
        at += MINUTE
    return sorted(one for one in found if begin <= one < end)


def _has(text: str, value: int) -> bool:
    if text.startswith("*"):
        return value % int(text[2:] or 1) == 0
    if "-" in text:
        low, high = map(int, text.split("-"))
        return low <= value <= high
    return value in map(int, text.split(","))


def _instants(at: datetime, zone: ZoneInfo, *, every_hour: bool) -> set[datetime]:
    first, second = (at.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) == at:
        return {first, second} if every_hour else {first}
    if every_hour:
        return set()
    while at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
        at += MINUTE
    return {at.replace(tzinfo=zone).astimezone(UTC)}


@settings(max_examples=150, deadline=None)
@given(st.one_of(fixed, steps, hourly), zones, changes, st.integers(0, 2 * 24 * 60))
def test_due_times_are_those_of_a_clock_on_the_wall(expression: str, zone: str, around: datetime, minutes: int) -> None:
    cron, after = parse(expression, zone), around + minutes * MINUTE

    expected = naive(cron, after + MINUTE, after + 3 * DAY)

    assert [due for due in cron.next(after, len(expected) + 1) if due < after + 3 * DAY] == expected


@settings(max_examples=150, deadline=None)
@given(st.one_of(fixed, steps, hourly), zones, changes, st.integers(0, 3 * 24 * 60))
def test_the_latest_due_time_has_none_between_it_and_the_moment(
    expression: str, zone: str, around: datetime, minutes: int
) -> None:
    cron, at = parse(expression, zone), around + minutes * MINUTE

    latest = cron.latest(at)

    assert latest is not None
    assert latest <= at < cron.next(latest, 1)[0]
    assert cron.next(latest - MINUTE, 1) == (latest,)


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "rule", "marked"),
    [
        ("0 9 * * 8", "cron.range", "8"),
        ("61 9 * * 1", "cron.range", "61"),
        ("0 24 * * 1", "cron.range", "24"),
        ("0 9 0 * *", "cron.range", "0"),
        ("0 9 * foo 1", "cron.value", "foo"),
        ("0 9 * * 1,tu", "cron.value", "tu"),
        ("0 9 * * -1", "cron.value", " "),
        ("0 17-9 * * *", "cron.backwards", "17-9"),
        ("*/0 9 * * *", "cron.step", "0"),
        ("*/x 9 * * *", "cron.step", "x"),
        ("0 9 30 2 *", "cron.never", "30"),
        ("0 9 * * 1 2026", "cron.fields", "2026"),
    ],
)
def test_a_fault_is_marked_where_it_is(expression: str, rule: str, marked: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(expression)

    error = caught.value
    at, length = error.facts["position"], error.facts["length"]
    assert (error.field_name, error.value, error.rule) == ("every", expression, rule)
    assert length == len(marked)
    assert marked == " " or expression[at : at + length] == marked


def test_a_fault_is_explained_with_what_would_be_allowed() -> None:
    with pytest.raises(Invalid) as caught:
        parse("0 9 * * 8", "Europe/Berlin")

    assert explanation(caught.value) == (
        "`8` is not a valid day of the week. Allowed: 0 to 7, SUN to SAT (0 and 7 are Sunday), a list, a range, or `*`.\n"
        "```0 9 * * 8\n"
        "        ^```"
    )


@given(st.text(alphabet="0123456789*/,-LW#?@ montue", max_size=24))
def test_whatever_is_typed_is_understood_or_refused_with_a_sentence(typed: str) -> None:
    found = refusal(typed)
    if isinstance(found, Cron):
        assert found.next(utc(2026, 3, 1), 1)
        assert schedules.words(found)
        return
    assert 0 <= found.facts["position"] <= len(typed)
    assert found.facts["length"] >= 1
    assert "does not fit" not in plain(found)


def refusal(typed: str) -> Cron | Invalid:
    try:
        return parse(typed)
    except Invalid as error:
        return error


@pytest.mark.parametrize(
    ("typed", "near"),
    [("Europe/Berln", "Europe/Berlin"), ("berlin", "Europe/Berlin"), ("New York", "America/New_York")],
)
def test_an_unknown_zone_is_refused_with_near_names(typed: str, near: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse("0 9 * * *", typed)

    assert caught.value.field_name == "tz"
    assert caught.value.facts["near"][0] == near
    assert near in available_timezones()


def test_a_zone_typed_as_an_offset_is_not_led_to_its_opposite() -> None:
    # By POSIX Etc/GMT+2 is two hours behind UTC.
    with pytest.raises(Invalid) as caught:
        parse("0 9 * * *", "GMT+2")

    assert "Etc/GMT+2" not in caught.value.facts["near"]


def test_a_zone_is_known_whatever_its_case() -> None:
    assert parse("0 9 * * *", "europe/berlin").tz == "Europe/Berlin"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("0 0 9 ? * MON-FRI", "0 9 * * MON-FRI"),
        ("0 0 9 ? * 2-6", "0 9 * * MON-FRI"),
        ("0 0 9 ? * MON-FRI 2026", "0 9 * * MON-FRI"),
        ("0 9 ? * MON-FRI *", "0 9 * * MON-FRI"),
        ("0 9 ? * MON-FRI", "0 9 * * MON-FRI"),
        ("0 0 9 * * 1-5", "0 9 * * 1-5"),
        ("0 9 * * 1–5", "0 9 * * 1-5"),
        ("0 9 * * MON — FRI", "0 9 * * MON-FRI"),
        ("daily", "0 0 * * *"),
        ("Monday", "0 9 * * MON"),
        ("Mondays", "0 9 * * MON"),
        ("09:30", "30 9 * * *"),
    ],
)
def test_a_line_in_another_form_gets_the_one_that_was_meant(typed: str, line: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(typed)

    assert caught.value.facts["near"] == (line,)
    assert parse(line).expression == line


@pytest.mark.parametrize("typed", ["*/5 * * * * *", "H 9 * * *", "@every 5m", "0 9 15W * *", "off"])
def test_nothing_is_offered_for_what_crontab_can_not_say(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(typed)

    assert caught.value.facts["near"] == ()


@pytest.mark.parametrize(
    ("expression", "text", "first"),
    [
        ("0 9 L * *", "at 09:00 on the last day of the month", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("0 9 LW * *", "at 09:00 on the last weekday of the month", datetime(2026, 1, 30, 9, tzinfo=UTC)),
        ("0 9 * * 5L", "at 09:00 on the last Friday of the month", datetime(2026, 1, 30, 9, tzinfo=UTC)),
        ("0 9 * * MON#1", "at 09:00 on the 1st Monday of the month", datetime(2026, 1, 5, 9, tzinfo=UTC)),
    ],
)
def test_a_day_by_its_place_in_the_month(expression: str, text: str, first: datetime) -> None:
    schedule = parse(expression)

    assert schedules.words(schedule) == text
    assert schedule.next(datetime(2026, 1, 1, tzinfo=UTC), 1) == (first,)
    assert schedule.latest(first) == first


@pytest.mark.parametrize("typed", ["*/90 * * * *", "0 */36 * * *"])
def test_a_step_beyond_its_field_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(typed)

    assert caught.value.rule == "cron.step"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("PST", ("America/Los_Angeles",)),
        ("EDT", ("America/New_York",)),
        ("EST", ("America/New_York",)),
        ("CST", ("America/Chicago", "Asia/Shanghai")),
        ("IST", ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem")),
        ("BST", ("Europe/London", "Asia/Dhaka")),
        ("UTC+2", ("Etc/GMT-2",)),
        ("GMT+2", ("Etc/GMT-2",)),
        ("+02:00", ("Etc/GMT-2",)),
        ("utc-5", ("Etc/GMT+5",)),
        ("GMT+5:30", ("Asia/Kolkata", "Asia/Colombo")),
        ("-0330", ("America/St_Johns",)),
        ("+01:15", ()),
        ("W. Europe Standard Time", ("Europe/Berlin",)),
        ("China Standard Time", ("Asia/Shanghai",)),
        ("localtime", ()),
        ("Factory", ()),
        ("Z", ("UTC",)),
        ("Berlin", ("Europe/Berlin",)),
        ("new york", ("America/New_York",)),
        ("Beijing", ("Asia/Shanghai",)),
        ("Asia/Beijing", ("Asia/Shanghai",)),
        ("XYZ", ()),
    ],
)
def test_a_zone_by_another_name_gets_all_that_may_be_meant(typed: str, names: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as caught:
        parse("0 9 * * *", typed)

    assert caught.value.facts["near"] == names


@pytest.mark.parametrize(("typed", "name"), [("europe/berlin", "Europe/Berlin"), ("cet", "CET"), ("utc", "UTC")])
def test_a_zone_is_taken_in_any_case(typed: str, name: str) -> None:
    assert parse("0 9 * * *", typed).tz == name


@pytest.mark.parametrize(
    ("of_slack", "zone"), [("Asia/Calcutta", "Asia/Calcutta"), ("Mars/Olympus", "UTC"), ("", "UTC")]
)
def test_a_zone_that_this_machine_lacks_is_read_as_utc(of_slack: str, zone: str) -> None:
    assert zone_or_utc(of_slack) == zone
