"""Summaries: worst first, counted, within Slack's limits, and as a file."""

import csv
from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from handlers.kit.message import Message
from handlers.views import summary as views
from services.model.azure import StatusDetail
from services.model.health import HealthReason, Sighting, Target, Transition
from services.watching.health import WORST_FIRST, health
from services.watching.summaries import Summary, summary
from tests.unit.watch_views.seen import ACR, HOUR, MINUTE, MONDAY, read, seen

DISK = StatusDetail("Disk", "DiskError", "No space left on device")


def of(*sightings: Sighting, since: tuple[Transition, ...] = ()) -> Summary:
    return summary([(one, health(one, MONDAY)) for one in sightings], since, MONDAY)


def fleet(number: int, acrs: int = 1) -> Summary:
    """Some of each kind."""
    return of(*(some(at, f"{ACR}{at % acrs:02}") for at in range(number)))


def some(at: int, acr: str = ACR) -> Sighting:
    online = {"connection_state": "Online", "last_activity": MONDAY, "last_sync": MONDAY}
    nightly = {"schedule": f"{at % 60} 3 * * 1-5", "window": 3 * HOUR, "last_sync": MONDAY - 6 * HOUR}
    kinds: tuple[dict[str, Any], ...] = (online, nightly, online, {}, nightly | {"details": (DISK,)})
    return seen(f"edge{at:04}", acr, **kinds[at % 5])


def table(message: Message) -> list[list[str]]:
    (one,) = [block for block in message.blocks if block["type"] == "table"]
    return [[cell["text"] for cell in row] for row in one["rows"]]


SMALL = of(
    seen("edge01", connection_state="Online", last_activity=MONDAY, last_sync=MONDAY),
    seen("edge02"),
    seen("edge03", schedule="0 3 * * *", window=3 * HOUR, last_sync=MONDAY - 7 * HOUR, last_activity=None),
    since=(
        Transition(Target(ACR, "edge02"), MONDAY - HOUR, "late", "offline", HealthReason.CONTACT_MISSED),
        Transition(Target(ACR, "edge02"), MONDAY - 2 * HOUR, "healthy", "late", HealthReason.CONTACT_DUE),
        Transition(Target(ACR, "edge01"), MONDAY - HOUR, "offline", "healthy", HealthReason.CONNECTED),
    ),
)


def test_a_small_one_is_one_message() -> None:
    assert read(views.page(SMALL, 1, turns="summary show w-1", title="site berlin")) == snapshot("""\
*Summary of site berlin*  ·  1 offline, 1 silent as planned, 1 healthy
Name | Health | Site | Last sync | Lag | Changed | State | Schedule (UTC)
edge02 | offline | - | 1 h ago | 59 min | 2 changes, from healthy to offline | Offline | continuous
edge03 | silent as planned | - | 7 h ago | - | - | Offline | at 03:00 every day, open for 3 h
edge01 | healthy | - | 0 s ago | - | offline → healthy | Online | continuous
As of 2026-03-02 12:00 UTC
""")


def test_a_channel_reads_what_is_not_well_or_has_changed_and_the_others_in_one_line() -> None:
    assert read(views.folded(SMALL, show_all="summary show w-1", title="site berlin")) == snapshot("""\
*Summary of site berlin*  ·  1 offline, 1 silent as planned, 1 healthy
Name | Health | Site | Last sync | Lag | Changed | State | Schedule (UTC)
edge02 | offline | - | 1 h ago | 59 min | 2 changes, from healthy to offline | Offline | continuous
edge01 | healthy | - | 0 s ago | - | offline → healthy | Online | continuous
As expected: 1 silent as planned  ·  As of 2026-03-02 12:00 UTC
[Show all = summary show w-1]
""")


def test_where_all_is_as_expected_a_channel_reads_no_table() -> None:
    well = of(seen("edge01", connection_state="Online", last_activity=MONDAY, last_sync=MONDAY))

    assert read(views.folded(well, show_all="summary show w-1", title="site berlin")) == snapshot("""\
*Summary of site berlin*  ·  1 healthy
As expected: 1 healthy  ·  As of 2026-03-02 12:00 UTC
[Show all = summary show w-1]
""")


def test_of_very_many_in_trouble_a_channel_reads_the_worst_and_how_many_more_there_are() -> None:
    message = views.folded(fleet(150, acrs=3), show_all="summary show w-1", title="the whole fleet")

    assert len(table(message)) == 26
    assert read(message).splitlines()[-2:] == snapshot(
        [
            "and 35 more that are not well or have changed  ·  As expected: 30 silent as planned, 60 healthy  ·  As of 2026-03-02 12:00 UTC",
            "[Show all = summary show w-1]",
        ]
    )


def test_a_late_one_says_so() -> None:
    message = views.folded(SMALL, show_all="summary show w-1", title="site berlin", late=MONDAY - 3 * HOUR)

    assert read(message).splitlines()[1] == snapshot(":alarm_clock:  Due 2026-03-02 09:00 UTC and posted late.")


def test_what_could_not_be_asked_says_why_and_shows_no_state_as_if_it_were_todays() -> None:
    mute = of(seen("edge01", connection_state="Online", failed="NotAllowed"))

    assert read(views.page(mute, 1, turns="summary show w-1", title="site berlin")) == snapshot("""\
*Summary of site berlin*  ·  1 unknown
Name | Health | Site | Last sync | Lag | Changed | State | Schedule (UTC)
edge01 | unknown | - | 1 h ago | - | - | was Online | continuous
:grey_question:  *contosoacr* could not be read: the bot's identity may not read it. The states are the last ones known.
As of 2026-03-02 12:00 UTC
""")


def test_pages_are_turned_by_buttons() -> None:
    big = fleet(150, acrs=3)

    pages = [read(views.page(big, number, turns="summary show w-1")) for number in (1, 2)]
    buttons = [line for page in pages for line in page.splitlines() if line.startswith("[")]

    assert "\n".join(buttons) == snapshot("""\
[Next page = summary show w-1 --page 2]
[Previous page = summary show w-1 --page 1]\
""")


def test_a_page_that_does_not_exist_is_the_nearest_one() -> None:
    big = fleet(150, acrs=3)

    assert views.page(big, 99, turns="x") == views.page(big, 2, turns="x")
    assert views.page(big, 0, turns="x") == views.page(big, 1, turns="x")


def test_nothing_at_all_is_said_so() -> None:
    assert read(views.page(of(), 1, turns="x", title="the whole fleet")) == snapshot("""\
*Summary of the whole fleet*  ·  no connected registries
As of 2026-03-02 12:00 UTC
""")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 400), st.integers(1, 8))
def test_every_registry_is_on_exactly_one_page_within_slacks_limits(number: int, acrs: int) -> None:
    whole = fleet(number, acrs)
    names: Counter[str] = Counter()

    for at in range(1, views.pages(whole) + 1):
        message = views.page(whole, at, turns="summary show w-7k3q9x")
        assert len(message.blocks) <= 50
        if not number:
            return
        rows = table(message)
        assert len(rows) <= 100
        assert sum(len(cell) for row in rows for cell in row) <= 10_000
        names.update(row[0] for row in rows[1:])

    assert names == Counter(row.sighting.target.name for row in whole.rows)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(40)))
def test_rows_are_worst_first_whatever_order_they_were_seen_in(order: list[int]) -> None:
    whole = of(*(some(at) for at in order))

    ranks = [WORST_FIRST.index(row.health.state) for row in whole.rows]

    assert ranks == sorted(ranks)
    assert whole == fleet_of(range(40))
    assert sum(whole.totals.values()) == 40


def fleet_of(numbers: Any) -> Summary:
    return of(*(some(at) for at in numbers))


def test_the_worst_of_all_cloud_registries_come_first_and_are_told_apart() -> None:
    whole = of(seen("edge01", f"{ACR}a", connection_state="Online"), seen("edge02", f"{ACR}b"))
    columns, first, second = table(views.page(whole, 1, turns="x"))

    assert columns[-1] == "Cloud registry"
    assert [(row[0], row[-1]) for row in (first, second)] == [("edge02", "contosoacrb"), ("edge01", "contosoacra")]


def test_the_longer_the_lag_the_further_up() -> None:
    rows = of(seen("edge01", last_sync=MONDAY - HOUR), seen("edge02", last_sync=MONDAY - 5 * HOUR)).rows

    assert [row.sighting.target.name for row in rows] == ["edge02", "edge01"]


def test_the_file_has_all_rows_and_machines_can_read_it() -> None:
    whole = fleet(1000, acrs=20)

    rows = list(csv.DictReader(StringIO(views.csv(whole))))

    assert len(rows) == 1000
    assert rows[0]["health"] == "offline"
    assert rows[0]["lag_seconds"] == str(int((HOUR - MINUTE).total_seconds()))
    assert {row["cloud_registry"] for row in rows} == {f"contosoacr{number:02}" for number in range(20)}


def test_a_spreadsheet_runs_nothing_of_the_file() -> None:
    text = views.csv(of(seen("=cmd()", last_sync=MONDAY - timedelta(hours=1))))

    assert "'=cmd()" in text
