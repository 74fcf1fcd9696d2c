"""Crontab expressions: read strictly, and turned into times across daylight-saving changes.

Semantics are those of crontab(5): `*`, lists, ranges and steps; names of months and days; 0 and 7 are Sunday; when both
day fields are restricted either may match, unless one begins with `*`. Beyond crontab, `L` is the last day of
the month, `LW` its last weekday, `MON#1` its first Monday and `5L` its last Friday.
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from services.model.errors import Invalid, InvalidRule
from services.policy import timezones

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = tuple(calendar.month_name)[1:]
_DAY, _WEEK, _SECOND = timedelta(days=1), timedelta(days=7), timedelta(seconds=1)
_HOURS, _WEEKDAYS = 24, 7


# --- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """One of the five fields. Names stand for `low` and the numbers after it."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        upper = text.upper()
        if upper in self.names:
            return self.names.index(upper) + self.low
        return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None


_QUARTZ = 6
"""Fields of a line with seconds."""
_DAY_OF_MONTH, _DAY_OF_WEEK = "day of the month", "day of the week"
_KINDS = (
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind(_DAY_OF_MONTH, 1, 31),
    _Kind("month", 1, 12, tuple(name[:3].upper() for name in _MONTHS)),
    _Kind(_DAY_OF_WEEK, 0, 7, tuple(name[:3].upper() for name in _DAYS)),
)


_LAST = re.compile(r"L|LW")
"""The last day of the month, or its last day from Monday to Friday: only as the whole of that field."""
_NTH = re.compile(r"(SUN|MON|TUE|WED|THU|FRI|SAT|[0-7])(?:#([1-5])|(L))", re.IGNORECASE)
"""A day of the week with its place in the month: `MON#1` is the first Monday, `5L` the last Friday."""


@dataclass(frozen=True)
class _Reader:
    """Reads an expression's fields, and points at the first fault."""

    typed: str
    field_name: str

    def fields(self) -> list[tuple[frozenset[int], str]]:
        """Values and text of each field."""
        matches = list(re.finditer(r"\S+", self.typed))
        if len(matches) != len(_KINDS):
            extra = matches[len(_KINDS)].start() if len(matches) > len(_KINDS) else len(self.typed)
            raise self.fault("cron.fields", extra, max(1, len(self.typed) - extra), count=len(matches))
        return [
            (self.values(kind, match.group(), match.start()), match.group())
            for kind, match in zip(_KINDS, matches, strict=True)
        ]

    def values(self, kind: _Kind, text: str, at: int) -> frozenset[int]:
        # What depends on the month stands for all values of its field here; the library computes its times.
        is_last_day = kind.name == _DAY_OF_MONTH and _LAST.fullmatch(text.upper())
        if is_last_day or (kind.name == _DAY_OF_WEEK and _NTH.fullmatch(text)):
            return frozenset(range(kind.low, min(kind.high, 6 if kind.name == _DAY_OF_WEEK else kind.high) + 1))
        values: set[int] = set()
        for part in text.split(","):
            values.update(self.part(kind, part, at))
            at += len(part) + 1
        if kind.high == 7 and 7 in values:  # noqa: PLR2004 - Sunday's other number
            values = values - {7} | {0}
        return frozenset(values)

    def part(self, kind: _Kind, part: str, at: int) -> range:
        span, slash, step_text = part.partition("/")
        step = 1
        if slash:
            step = int(step_text) if re.fullmatch(r"[0-9]{1,4}", step_text) else 0
            # Crontab takes `*/90` for every hour without a word.
            if not 1 <= step <= kind.high - kind.low:
                raise self.fault("cron.step", at + len(span) + 1, len(step_text) or 1, kind, step_text)
        if span == "*":
            # The second Sunday is left out: a step over the days of the week begins anew on Sunday.
            return range(kind.low, min(kind.high, 6 if kind.names and not kind.low else kind.high) + 1, step)
        first_text, dash, last_text = span.partition("-")
        first = self.value(kind, first_text, at)
        if not dash:
            return range(first, (kind.high if slash else first) + 1, step)
        last = self.value(kind, last_text, at + len(first_text) + 1)
        if kind.names and not kind.low and last == 0 and first:
            last = 7  # FRI-SUN
        if last < first:
            raise self.fault("cron.backwards", at, len(span), kind, span)
        return range(first, last + 1, step)

    def value(self, kind: _Kind, text: str, at: int) -> int:
        number = kind.number(text)
        if number is None:
            raise self.fault("cron.value", at, len(text) or 1, kind, text)
        if not kind.low <= number <= kind.high:
            raise self.fault("cron.range", at, len(text), kind, text)
        return number

    def fault(
        self, rule: InvalidRule, position: int, length: int, kind: _Kind | None = None, part: str = "", **facts: Any
    ) -> Invalid:
        if kind:
            facts |= {"field": kind.name, "part": part, "low": kind.low, "high": kind.high, "names": kind.names}
        return Invalid(self.field_name, self.typed, rule, {"position": position, "length": length, **facts})


def parse(expression: str, tz: str = "UTC", *, field_name: str = "every") -> "Cron":
    """Raises `Invalid` for `field_name` (rules `cron.…`, with `position` and `length` of the fault) or for `tz`.

    `near` among the facts are lines that were probably meant; each of them parses.
    """
    zone = timezones.zone_name(tz)
    try:
        return _parse(expression, zone, field_name)
    except Invalid as error:
        near = []
        for line in _meant(expression):
            try:
                near.append(_parse(line, zone, field_name).expression)
            except Invalid:
                continue
        raise replace(error, facts={**error.facts, "near": tuple(dict.fromkeys(near))}) from None


def _parse(expression: str, zone: str, field_name: str) -> "Cron":
    typed = NICKNAMES.get(expression.strip().lower(), expression)
    read = _Reader(typed, field_name).fields()
    cron = Cron(" ".join(text for _, text in read), zone)
    if cron.latest(datetime(2400, 1, 1, tzinfo=UTC)) is None:
        day = re.search(r"\S+\s+\S+\s+(\S+)", typed)
        at, length = (day.start(1), len(day[1])) if day else (0, len(typed))
        raise Invalid(field_name, typed, "cron.never", {"position": at, "length": length})
    return cron


def _meant(expression: str) -> Iterator[str]:
    """Lines in crontab's form for one in another scheduler's form, or as a phone wrote it."""
    lower = expression.strip().lower()
    if f"@{lower}" in NICKNAMES:
        yield NICKNAMES[f"@{lower}"]
    if time := re.fullmatch(r"(?:at )?([01]?[0-9]|2[0-3])[:.]([0-5][0-9])", lower):
        yield f"{int(time[2])} {int(time[1])} * * *"
    if lower.rstrip("s") in [day.lower() for day in _DAYS]:
        yield f"0 9 * * {lower[:3].upper()}"
    # A phone's dash, and `?` of Quartz for any day.
    fields = re.sub(r"\s*[\u2010-\u2015\u2212]\s*|\s+-\s+", "-", expression).split()
    marks = [at for at, field in enumerate(fields) if field == "?"]
    if len(fields) in (_QUARTZ, _QUARTZ + 1) and re.fullmatch(r"[0-9]{1,2}", fields[0]):
        # Quartz and Spring put seconds first, and Quartz may end in a year; EventBridge has a year and no seconds.
        is_eventbridge = len(fields) == _QUARTZ and bool({2, 4} & {*marks})
        fields = fields[:-1] if is_eventbridge else fields[1:_QUARTZ]
        if marks:
            # Where `?` is used, days of the week count from Sunday = 1.
            fields[-1] = re.sub(r"(?<!#)[1-7]", lambda day: _DAYS[int(day[0]) - 1][:3].upper(), fields[-1])
    if len(fields) == len(_KINDS):
        yield " ".join(fields).replace("?", "*")


# --- times ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cron:
    """A schedule in a time zone; `expression` has five fields with one blank between them.

    A time that a daylight-saving change skips is due right after the gap, one that it doubles is due the first time
    only. Schedules of every hour run on elapsed time: they neither catch up nor leave out an hour.
    """

    expression: str
    tz: str = "UTC"

    @property
    def fields(self) -> tuple[tuple[int, ...], ...]:
        """All minutes, hours, days of the month, months and days of the week (0 is Sunday), ascending."""
        return tuple(tuple(sorted(values)) for values in _fields(self.expression))

    @property
    def last_day(self) -> Literal["", "day", "weekday"]:
        """Whether it is due on a month's last day, or on its last weekday."""
        kinds: Mapping[str, Literal["day", "weekday"]] = {"L": "day", "LW": "weekday"}
        return kinds.get(self.expression.split()[2].upper(), "")

    @property
    def nth_weekday(self) -> tuple[int, int] | None:
        """A day of the week (0 is Sunday) by its place in the month, from 1; the place is 0 for the last one."""
        nth = _NTH.fullmatch(self.expression.split()[4])
        return ((_KINDS[-1].number(nth[1]) or 0) % _WEEKDAYS, int(nth[2] or 0)) if nth else None

    @property
    def needs_both_days(self) -> bool:
        """Whether the day of the month and that of the week both have to fit; else either will do."""
        fields = self.expression.split()
        return fields[2].startswith("*") or fields[4].startswith("*")

    def next(self, after: datetime, n: int = 3) -> tuple[datetime, ...]:
        """The first `n` due times later than `after`, in UTC."""
        return tuple(islice(self._after(after.astimezone(UTC)), n))

    def latest(self, at: datetime) -> datetime | None:
        """The newest due time not later than `at`, in UTC; None when there was none in the 50 years before."""
        at = at.astimezone(UTC)
        for wall in self._walls_until(at):
            due = (wall - self._offset(at)).replace(tzinfo=UTC)
            begin = due - _DAY
            if self._change(begin, at) is None:
                return due
            # The clock changed between that time and `at`, so the wall time does not name the moment: going forward
            # over the change does.
            newest = None
            for due_time in self._after(begin - _DAY):
                if due_time > at:
                    break
                newest = due_time
            if newest:
                return newest
        return None

    @property
    def _hourly(self) -> bool:
        return len(_fields(self.expression)[1]) == _HOURS

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(_zone(self.tz)).utcoffset() or timedelta()

    def _after(self, after: datetime) -> Iterator[datetime]:
        # One day earlier, so that a change that made `after` ambiguous has been gone through.
        at = after if self.tz == "UTC" or self._hourly else after - _DAY
        yield from (due for due in self._from(at) if due > after)

    def _from(self, at: datetime) -> Iterator[datetime]:
        """Due times after `at`, from one change of the clock to the next.

        Between two changes the offset is fixed, so wall times of the library are moments. At a change the wall time
        jumps. Forward: what the gap skipped is due right after it, once. Back: the doubled hour is not repeated. A
        schedule of every hour runs on through both, for there each hour counts.
        """
        wall = _wall(at, self._offset(at))
        while True:
            offset = self._offset(at)
            change = None
            for due_wall in _walls(self.expression, wall):
                due = (due_wall - offset).replace(tzinfo=UTC)
                change = self._change(at, due)
                if change is not None:
                    break
                yield due
                at = due
            if change is None:
                return
            before, after = _wall(change, offset), _wall(change, self._offset(change))
            if not self._hourly and before < after and _is_due(self.expression, before, after):
                yield change
                wall = after
            elif not self._hourly and after < before:
                wall = before - _SECOND
            else:
                wall = after - _SECOND
            at = change

    def _change(self, since: datetime, until: datetime) -> datetime | None:
        """The first moment in (since, until] at which the clock is another than at `since`."""
        if self.tz == "UTC":
            return None
        offset = self._offset(since)
        while since < until:
            ahead = min(since + _WEEK, until)
            if self._offset(ahead) != offset:
                return self._turn(since, ahead, offset)
            since = ahead
        return None

    def _turn(self, before: datetime, after: datetime, offset: timedelta) -> datetime:
        while after - before > _SECOND:
            middle = before + (after - before) / 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)

    def _walls_until(self, at: datetime) -> Iterator[datetime]:
        wall = _wall(at, self._offset(at)).replace(microsecond=0) + _SECOND
        try:
            yield from CronSim(_plain(self.expression), wall, reverse=True)
        except CronSimError:
            return


def _wall(at: datetime, offset: timedelta) -> datetime:
    """What a clock on the wall shows."""
    return at.replace(tzinfo=None) + offset


def _walls(expression: str, after: datetime) -> Iterator[datetime]:
    return iter(CronSim(_plain(expression), after))


@lru_cache(maxsize=1024)
def _plain(expression: str) -> str:
    """In numbers only; what begins with `*` stays, for it decides how the day fields go together."""
    reader = _Reader(expression, "every")

    def numbers(kind: _Kind, part: str) -> str:
        if kind.name == _DAY_OF_MONTH and _LAST.fullmatch(part.upper()):
            return part.upper()
        if kind.name == _DAY_OF_WEEK and (nth := _NTH.fullmatch(part)):
            return f"{kind.number(nth[1])}" + (f"#{nth[2]}" if nth[2] else "L")
        return part if part.startswith("*") else ",".join(map(str, reader.part(kind, part, 0)))

    fields = zip(_KINDS, expression.split(), strict=True)
    return " ".join(",".join(numbers(kind, part) for part in text.split(",")) for kind, text in fields)


def _is_due(expression: str, begin: datetime, end: datetime) -> bool:
    """Whether the wall's clock would show a due time in [begin, end)."""
    return next(_walls(expression, begin - _SECOND), end) < end


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _fields(expression: str) -> tuple[frozenset[int], ...]:
    return tuple(values for values, _ in _Reader(expression, "every").fields())
