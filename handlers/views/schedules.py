"""Cron schedules in words. Pure."""

from collections.abc import Sequence

from handlers.kit.language import phrase, t
from handlers.kit.text import listed
from services.policy.cron import Cron

_DAYS = (
    phrase("Monday"),
    phrase("Tuesday"),
    phrase("Wednesday"),
    phrase("Thursday"),
    phrase("Friday"),
    phrase("Saturday"),
    phrase("Sunday"),
)
_MONTHS = (
    phrase("January"),
    phrase("February"),
    phrase("March"),
    phrase("April"),
    phrase("May"),
    phrase("June"),
    phrase("July"),
    phrase("August"),
    phrase("September"),
    phrase("October"),
    phrase("November"),
    phrase("December"),
)
_MINUTES, _HOURS, _LONGEST_MONTH = 60, 24, 31
_EXACT_TIMES = 6
"""Times of the day that are listed one by one."""


def words(schedule: Cron) -> str:
    """Such as `at 09:00 on Monday to Friday`, without the time zone; plain text."""
    minutes, hours, _, months, _ = schedule.fields
    when, on = _times(minutes, hours), _on(schedule)
    every_day = _lists_times(minutes, hours) and not on
    among = t(" in {months}", months=_spans(months, list(map(t, _MONTHS)))) if len(months) < len(_MONTHS) else ""
    return t("{when}{on}{among}", when=when, on=t(" every day") if every_day else on, among=among)


def _lists_times(minutes: Sequence[int], hours: Sequence[int]) -> bool:
    if len(minutes) == 1 and _step(hours, _HOURS) > 1 and len(hours) > _EXACT_TIMES:
        return False
    one_by_one = len(hours) * len(minutes) <= _EXACT_TIMES or (len(minutes) == 1 and len(_runs(hours)) > 1)
    return one_by_one and len(hours) < _HOURS


def _times(minutes: Sequence[int], hours: Sequence[int]) -> str:
    if _lists_times(minutes, hours):
        return t("at {times}", times=listed(f"{hour:02}:{minute:02}" for hour in hours for minute in minutes))
    step = _step(hours, _HOURS)
    if len(minutes) == 1 and step > 1:
        past = t("at {minutes} past the hour, ", minutes=_past(minutes)) if minutes[0] else ""
        return past + t("every {number} hours", number=step)
    if tuple(minutes) == (0,):
        between = t(" from {first:02}:00 to {last:02}:00", first=hours[0], last=hours[-1])
        return t("every hour") + (between if len(hours) < _HOURS else "")
    spans = [t("{first:02}:00 to {last:02}:59", first=first, last=last) for first, last in _runs(hours)]
    during = t(" from {spans}", spans=listed(spans)) if len(hours) < _HOURS else ""
    if len(minutes) == _MINUTES:
        return t("every minute") + during
    if every := _step(minutes, _MINUTES):
        return t("every {number} minutes", number=every) + during
    return t("at {minutes} past every hour", minutes=_past(minutes)) + during


def _past(minutes: Sequence[int]) -> str:
    numbers = listed(map(str, minutes))
    return t("{numbers} minute", numbers=numbers) if tuple(minutes) == (1,) else t("{numbers} minutes", numbers=numbers)


def _on(schedule: Cron) -> str:
    """The days, with a space before them; empty for every day."""
    _, _, days, _, weekdays = schedule.fields
    every_day = len(days) == _LONGEST_MONTH and not schedule.last_day
    every_weekday = len(weekdays) == len(_DAYS) and not schedule.nth_weekday
    # With both fields restricted either one will do, also when one of them names all its values.
    if (every_day and every_weekday) or (not schedule.needs_both_days and (every_day or every_weekday)):
        return ""
    ordinals = list(map(_ordinal, range(1, _LONGEST_MONTH + 1)))
    of_month = t("the {days} of the month", days=_spans(days, ordinals))
    if schedule.last_day:
        is_day = schedule.last_day == "day"
        of_month = t("the last day of the month") if is_day else t("the last weekday of the month")
    # People's weeks begin on Monday, and crontab's Sunday is 0.
    of_week = _spans(sorted(weekday or 7 for weekday in weekdays), list(map(t, _DAYS)))
    if schedule.nth_weekday:
        weekday, place = schedule.nth_weekday
        name, ordinal = t(_DAYS[(weekday or 7) - 1]), _ordinal(place)
        last = t("the last {weekday} of the month", weekday=name)
        of_week = t("the {ordinal} {weekday} of the month", ordinal=ordinal, weekday=name) if place else last
    if not schedule.needs_both_days:
        return t(" on {of_month} and also on {of_week}", of_month=of_month, of_week=of_week)
    if every_day or every_weekday:
        return t(" on {days}", days=of_week if every_day else of_month)
    return t(" on {of_week} when it is {of_month}", of_week=of_week, of_month=of_month)


def _ordinal(number: int) -> str:
    match 0 if 10 < number < 14 else number % 10:  # noqa: PLR2004 - 11th, 12th and 13th
        case 1:
            return t("{number}st", number=number)
        case 2:
            return t("{number}nd", number=number)
        case 3:
            return t("{number}rd", number=number)
    return t("{number}th", number=number)


def _step(values: Sequence[int], size: int) -> int:
    """The step of values that go evenly round a clock from zero; 0 when they don't."""
    if len(values) < 2 or values[0]:  # noqa: PLR2004 - one value has no step
        return 0
    step = values[1]
    return step if size % step == 0 and list(values) == list(range(0, size, step)) else 0


def _runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of all runs of neighbours."""
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and runs[-1][1] == value - 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs


def _spans(values: Sequence[int], names: Sequence[str]) -> str:
    """Such as `Monday to Wednesday and Friday`; the first of `names` is that of the value 1."""
    parts: list[str] = []
    for first, last in _runs(values):
        if last - first < 2:  # noqa: PLR2004 - two neighbours are listed
            parts += [names[value - 1] for value in range(first, last + 1)]
        else:
            parts.append(t("{first} to {last}", first=names[first - 1], last=names[last - 1]))
    return listed(parts)
