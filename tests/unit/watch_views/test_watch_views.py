"""Watches, as they are confirmed and listed."""

from dataclasses import replace

from inline_snapshot import snapshot

from handlers.views import watches
from services.model.people import Place
from services.model.watch import Watch
from tests.unit.watch_views.seen import MONDAY, read

WATCH = Watch("w-7k3q9x", Place("T1", "C1"), "site", "berlin", "0 9 * * 1-5", "Europe/Berlin", "critical", "U1", MONDAY)


def test_a_schedule_is_read_back_with_its_next_three_times_before_it_is_saved() -> None:
    assert read(watches.preview(WATCH, MONDAY, saves="watch berlin --yes")) == snapshot("""\
Watch *site berlin* in this channel?
Summaries: at 09:00 on Monday to Friday, Europe/Berlin (`0 9 * * 1-5`)
Next: Tue 03 Mar 09:00 CET; Wed 04 Mar 09:00 CET; Thu 05 Mar 09:00 CET
Alerts: critical ones only.
[Save = watch berlin --yes]
""")


def test_it_is_saved() -> None:
    assert read(watches.saved(WATCH, MONDAY)) == snapshot("""\
:eyes:  This channel now watches *site berlin*, set up by <@U1>.
Summaries: at 09:00 on Monday to Friday, Europe/Berlin (`0 9 * * 1-5`)
Next: Tue 03 Mar 09:00 CET; Wed 04 Mar 09:00 CET; Thu 05 Mar 09:00 CET
Alerts: critical ones only.
[Summary now = watches w-7k3q9x --now]
""")


def test_one_without_summaries_is_saved() -> None:
    assert read(watches.saved(replace(WATCH, every="", alerts="on"), MONDAY)) == snapshot("""\
:eyes:  This channel now watches *site berlin*, set up by <@U1>.
Summaries: not on a schedule.
Alerts: one message for each problem.
[Summary now = watches w-7k3q9x --now]
""")


def test_a_channels_watches() -> None:
    fleet = replace(WATCH, id="w-2222aa", scope="all", subject="", every="0 8 * * 1", tz="UTC", alerts="off")
    acr = replace(WATCH, id="w-3333aa", scope="acr", subject="contosoacr")

    assert read(watches.listing([WATCH, fleet, acr], MONDAY, watch_line="/registry watch SITE")) == snapshot("""\
*site berlin*  ·  `w-7k3q9x`
Summaries: at 09:00 on Monday to Friday, Europe/Berlin (`0 9 * * 1-5`)
Next: Tue 03 Mar 09:00 CET; Wed 04 Mar 09:00 CET; Thu 05 Mar 09:00 CET
Alerts: critical ones only.
[Summary now = watches w-7k3q9x --now] [Unwatch = unwatch w-7k3q9x]
*the whole fleet*  ·  `w-2222aa`
Summaries: at 08:00 on Monday, UTC (`0 8 * * 1`)
Next: Mon 09 Mar 08:00 UTC; Mon 16 Mar 08:00 UTC; Mon 23 Mar 08:00 UTC
Alerts: none.
[Summary now = watches w-2222aa --now] [Unwatch = unwatch w-2222aa]
*cloud registry contosoacr*  ·  `w-3333aa`
Summaries: at 09:00 on Monday to Friday, Europe/Berlin (`0 9 * * 1-5`)
Next: Tue 03 Mar 09:00 CET; Wed 04 Mar 09:00 CET; Thu 05 Mar 09:00 CET
Alerts: critical ones only.
[Summary now = watches w-3333aa --now] [Unwatch = unwatch w-3333aa]
""")
    assert read(watches.listing([], MONDAY, watch_line="/registry watch SITE")) == snapshot(
        "This channel watches nothing. To watch a site, type `/registry watch SITE`.\n"
    )


def test_a_message_holds_any_number_of_watches() -> None:
    several = [replace(WATCH, id=f"w-{number}") for number in range(60)]

    assert len(watches.listing(several, MONDAY, watch_line="/registry watch SITE").blocks) <= 50


def test_a_watch_is_ended() -> None:
    assert read(watches.removed(WATCH)) == snapshot(
        ":heavy_minus_sign:  This channel no longer watches *site berlin*.\n"
    )


def test_a_schedule_that_can_no_longer_be_read_is_listed_with_what_helps() -> None:
    lost = replace(WATCH, tz="Mars/Olympus")

    assert read(watches.listing([lost], MONDAY, watch_line="/registry watch SITE")) == snapshot("""\
*site berlin*  ·  `w-7k3q9x`
:warning:  Summaries: none, because the schedule `0 9 * * 1-5` in the time zone `Mars/Olympus` can no longer be read. Set it again, with `--every` and `--tz`.
Alerts: critical ones only.
[Summary now = watches w-7k3q9x --now] [Unwatch = unwatch w-7k3q9x]
""")
