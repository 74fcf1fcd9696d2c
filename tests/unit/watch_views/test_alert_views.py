"""An incident's message through its life, and what its thread hears."""

import itertools
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from handlers.views import alert
from services.watching.health import health
from services.watching.responses import acknowledge, snooze
from tests.unit.watch_views.seen import ACR, CLUSTER, DAY, HOUR, KEY, MINUTE, MONDAY, incident, read, seen


def test_an_open_one() -> None:
    assert read(alert.card(incident())) == snapshot("""\
:red_circle:  *edge01 in contosoacr is offline*
--- #d72b3f
A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* critical
*Since* 2026-03-01 06:00 UTC
*Next contact due* 2026-03-03 03:00 UTC
*Undelivered messages expire from* 2026-03-03
*Cluster* `berlin`
*What to do*
See whether the edge has power and a way to Azure. `extension show edge01` shows whether it runs in its cluster, and why not.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_one_that_is_taken_care_of_and_snoozed() -> None:
    taken = acknowledge(incident(), "U1", MONDAY + MINUTE)

    assert read(alert.card(snooze(taken, "1h", MONDAY, "UTC"))) == snapshot("""\
:red_circle:  *edge01 in contosoacr is offline*
--- #d72b3f
A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* critical
*Since* 2026-03-01 06:00 UTC
*Next contact due* 2026-03-03 03:00 UTC
*Undelivered messages expire from* 2026-03-03
*Cluster* `berlin`
*What to do*
See whether the edge has power and a way to Azure. `extension show edge01` shows whether it runs in its cluster, and why not.
`al-7k3q9x`  ·  :eyes: Acknowledged by <@U1>  ·  :zzz: Snoozed until 2026-03-02 13:00 UTC
[Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_one_that_is_recovering_after_relapses() -> None:
    recovering = incident(state="healthy", changed=MONDAY + HOUR, flaps=2, severity="warning")

    assert read(alert.card(recovering)) == snapshot("""\
:large_orange_circle:  *edge01 in contosoacr is recovering*
--- #e8912d
Healthy since 2026-03-02 13:00 UTC. The alert closes if it stays healthy. Original cause:
A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* warning
*Since* 2026-03-01 06:00 UTC
*Cluster* `berlin`
*Relapses* 2
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_a_resolved_one() -> None:
    over = incident(state="healthy", resolved=MONDAY + 3 * HOUR + 5 * MINUTE, flaps=1)

    assert read(alert.card(over)) == snapshot("""\
:white_check_mark:  *edge01 in contosoacr has recovered*
--- #2eb67d
It lasted 3 h 5 min, with 1 relapse.
`al-7k3q9x`
[Show = alert show al-7k3q9x]
""")


@pytest.mark.parametrize("reason", ["gone", "unwatched", "inactive.deactivated", "inactive.never"])
def test_the_end_of_one_whose_subject_is_no_more_does_not_say_that_it_is_well(reason: str) -> None:
    left = incident(reason=reason, resolved=MONDAY + HOUR)

    assert "is well" not in alert.line(incident(), left)
    assert ":white_check_mark:" not in read(alert.card(left))


def test_what_is_watched_no_more_says_so() -> None:
    assert alert.line(incident(), incident(reason="unwatched", resolved=MONDAY + HOUR)) == snapshot(
        ":heavy_minus_sign:  edge01 in contosoacr is no longer watched. Its cloud registry is no longer watched, or no site names it. The alert was open for 1 h."
    )


def test_a_snooze_to_a_time_is_told_in_its_thread() -> None:
    assert ":zzz:  Snoozed until" in alert.line(incident(), snooze(incident(), "1h", MONDAY, "UTC"))
    assert "UTC>, or until it gets worse." in alert.line(incident(), snooze(incident(), "1h", MONDAY, "UTC"))


def test_a_dead_cluster() -> None:
    children = tuple(f"edge{number:02}" for number in range(20))
    dead = incident(
        kind="cluster", subject=CLUSTER, reason="cluster.offline", facts={"known": 22, "most": 20}, children=children
    )

    assert read(alert.card(dead)) == snapshot("""\
:red_circle:  *Cluster berlin is offline*, with 20 of 22 connected registries
--- #d72b3f
The cluster's Arc agent is offline.
Connected registries: `edge00`, `edge01`, `edge02`, `edge03`, `edge04`, `edge05`, `edge06`, `edge07`, `edge08`, `edge09`, `edge10`, `edge11`, `edge12`, `edge13`, `edge14` and 5 more
*Severity* critical
*Since* 2026-03-02 12:00 UTC
*What to do*
See whether the cluster has power and a way to Azure. On it, `kubectl get pods --namespace azure-arc` shows whether the Arc agents run.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_a_cloud_registry_that_cannot_be_asked() -> None:
    mute = incident(
        kind="acr",
        subject=ACR,
        state="unknown",
        severity="warning",
        reason="unasked",
        facts={"error": "NotAllowed"},
        children=("edge01", "edge02"),
    )

    assert read(alert.card(mute)) == snapshot("""\
:large_orange_circle:  *Cloud registry contosoacr can't be read*, with 2 connected registries
--- #e8912d
Nothing is known about its connected registries: the bot's identity may not read it.
Connected registries: `edge01`, `edge02`
*Severity* warning
*Since* 2026-03-02 12:00 UTC
*What to do*
Grant the bot's identity the reading role at the cloud registry (deploy/azure).
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_a_refusal_that_is_not_listed_is_no_outage_and_leads_to_what_azure_answers() -> None:
    refused = incident(kind="acr", subject=ACR, state="unknown", reason="unasked", facts={"error": "Locked"})

    text = read(alert.card(refused))
    assert "Azure refused to answer." in text
    assert "`check SITE` says what Azure answers, and what helps." in text


def test_one_with_complaints_shows_what_the_edge_says() -> None:
    facts = {"codes": ("DiskError",), "descriptions": ("No space left on <device>",)}

    assert read(alert.card(incident(state="unhealthy", reason="status.disk", facts=facts))) == snapshot("""\
:red_circle:  *edge01 in contosoacr is unhealthy*
--- #d72b3f
It can't write to its disk (`DiskError`).
> No space left on &lt;device&gt;
*Severity* critical
*Since* 2026-03-02 12:00 UTC
*What to do*
Make room on the volume of the connected registry, or enlarge it. On its cluster, `kubectl get persistentvolumeclaims --namespace connected-registry` shows the volume.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_one_on_a_dead_cluster_of_its_own_tells_cause_and_effect() -> None:
    assert read(alert.card(incident(reason="cluster.expired"))) == snapshot("""\
:red_circle:  *edge01 in contosoacr is offline*
--- #d72b3f
The identity certificate of the cluster's Arc agent has expired: the cluster has to be connected to Arc again. A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* critical
*Since* 2026-03-01 06:00 UTC
*Next contact due* 2026-03-03 03:00 UTC
*Undelivered messages expire from* 2026-03-03
*Cluster* `berlin`
*What to do*
Connect the cluster to Arc again. Plan for it: what was installed by Arc extensions has to be deployed again.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")


def test_the_thread_hears_what_matters_and_nothing_else() -> None:
    first = incident(severity="warning")
    taken = acknowledge(first, "U1", MONDAY)
    snoozed = snooze(taken, "change", MONDAY, "UTC")
    worse = incident()
    relapsed = replace(worse, flaps=1, changed=MONDAY + HOUR)
    over = replace(relapsed, state="healthy", resolved=MONDAY + 2 * HOUR)
    told = [None, first, taken, snoozed, worse, relapsed, over, over]

    lines = [alert.line(before, after) for before, after in itertools.pairwise(told) if after]

    assert "\n".join(lines) == snapshot("""\

:eyes:  <@U1> has acknowledged it.
:zzz:  Snoozed until it changes.
:small_red_triangle:  edge01 in contosoacr is offline. Worse, now critical. A contact was due <!date^1772420400^{date_short_pretty} {time}|2026-03-02 03:00 UTC>. The last one was <!date^1772344800^{date_short_pretty} {time}|2026-03-01 06:00 UTC>. The snooze has ended.

:white_check_mark:  edge01 in contosoacr has recovered. It lasted 2 h, with 1 relapse.
""")


def test_a_snooze_that_is_over_tells_the_channel_what_is_still_wrong() -> None:
    snoozed = snooze(incident(reason="cluster.offline", facts={}), "1h", MONDAY, "UTC")
    woken = replace(snoozed, snoozed_until=None)

    assert alert.is_loud(snoozed, woken)
    assert alert.line(snoozed, woken) == snapshot(
        ":bell:  The snooze has ended: edge01 in contosoacr is offline. The cluster's Arc agent is offline."
    )


def test_a_snooze_that_ends_because_it_gets_better_wakes_nobody() -> None:
    snoozed = snooze(incident(), "change", MONDAY, "UTC")
    better = replace(snoozed, snoozed_until=None, state="healthy")

    assert not alert.is_loud(snoozed, better)
    assert alert.line(snoozed, better) == snapshot(
        ":bell:  It changed, so the snooze has ended: edge01 in contosoacr is recovering."
    )


def test_getting_worse_is_loud_and_the_beginning_and_the_end_are_not() -> None:
    first, worse = incident(severity="warning"), incident()
    over = replace(worse, resolved=MONDAY + HOUR)

    assert not alert.is_loud(None, first)
    assert alert.is_loud(first, worse)
    assert not alert.is_loud(worse, over)


def test_one_that_a_greater_one_tells_of_is_not_called_well() -> None:
    hidden = incident(resolved=MONDAY + HOUR, facts={"hidden_by": "al-2222aa"})

    assert alert.line(incident(), hidden) == snapshot(
        ":arrow_right:  edge01 in contosoacr is covered by another alert. `al-2222aa` covers it from now on."
    )
    assert read(alert.card(hidden)) == snapshot("""\
:arrow_right:  *edge01 in contosoacr is covered by another alert*
--- #8d8d8d
`al-2222aa` covers it from now on.
`al-7k3q9x`
[Show = alert show al-7k3q9x]
""")


def test_a_cluster_that_is_over_says_how_many_of_its_registries_were_not_heard_of() -> None:
    dead = incident(kind="cluster", subject=CLUSTER, reason="cluster.silent", facts={}, children=("edge01", "edge02"))

    assert alert.line(dead, replace(dead, resolved=MONDAY + DAY)) == snapshot(
        ":white_check_mark:  Cluster berlin has recovered. It lasted 1 d. 2 connected registries have not reported yet; each gets its own alert if it misses the next contact too."
    )


def test_everything_about_one() -> None:
    sighting = seen(schedule="0 3 * * *", window=3 * HOUR, last_sync=MONDAY - 30 * HOUR, last_activity=None)
    shown = alert.details(incident(), [(sighting, health(sighting, MONDAY))], MONDAY + 2 * HOUR)

    assert read(shown) == snapshot("""\
:red_circle:  *edge01 in contosoacr is offline*
A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* critical
*Since* 2026-03-01 06:00 UTC
*Next contact due* 2026-03-03 03:00 UTC
*Undelivered messages expire from* 2026-03-03
*Cluster* `berlin`
*What to do*
See whether the edge has power and a way to Azure. `extension show edge01` shows whether it runs in its cluster, and why not.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
Name | Health | State | Last sync (UTC) | Lag | Next contact (UTC) | Schedule (UTC)
edge01 | offline | Offline | 2026-03-01 06:00 | 9 h | 2026-03-03 03:00 | at 03:00 every day, open for 3 h
Opened 2026-03-02 12:00 UTC, still open, 2 h
""")


def test_a_critical_one_names_its_site_what_to_do_and_those_whom_it_concerns() -> None:
    concern = alert.Concern(("berlin",), ("S0OPERATORS", "U0ALICE", "edge-operators"))

    assert read(alert.card(incident(), concern)) == snapshot("""\
:red_circle:  *edge01 at berlin is offline*
--- #d72b3f
A contact was due 2026-03-02 03:00 UTC. The last one was 2026-03-01 06:00 UTC.
*Severity* critical
*Since* 2026-03-01 06:00 UTC
*Concerns* <!subteam^S0OPERATORS> <@U0ALICE> @edge-operators
*Next contact due* 2026-03-03 03:00 UTC
*Undelivered messages expire from* 2026-03-03
*Cluster* `berlin`
*What to do*
See whether the edge has power and a way to Azure. `extension show edge01` shows whether it runs in its cluster, and why not.
`al-7k3q9x`
[Acknowledge = alert acknowledge al-7k3q9x] [Snooze 1 h = alert snooze al-7k3q9x --until 1h] [Snooze until morning = alert snooze al-7k3q9x --until morning] [Snooze until it changes = alert snooze al-7k3q9x --until change] [Show = alert show al-7k3q9x]
""")
    assert "U0ALICE" not in read(alert.card(incident(severity="warning"), concern))


def test_the_open_ones_worst_first() -> None:
    mild = incident(id="al-aaaaaa", severity="warning", subject=f"{ACR}/edge02", opened=MONDAY - DAY)
    taken = acknowledge(incident(kind="cluster", subject=CLUSTER, children=("a", "b")), "U1", MONDAY)

    assert read(
        alert.listing(
            [(mild, alert.UNKNOWN), (taken, alert.UNKNOWN)], MONDAY, watches=1, watch_line="/registry watch SITE"
        )
    ) == snapshot("""\
*2 open alerts, worst first*
Alert | Severity | For | State | Registries | Id
Cluster berlin is offline | critical | 1 d 6 h | acknowledged | 2 | al-7k3q9x
edge02 in contosoacr is offline | warning | 1 d 6 h | open | 1 | al-aaaaaa
[Show the worst = alert show al-7k3q9x] [Acknowledge all = alert acknowledge all]
""")
    assert read(alert.listing([], MONDAY, watches=1, watch_line="/registry watch SITE")) == snapshot(
        "This channel has no open alerts.\n"
    )


def test_a_channel_that_watches_nothing_is_not_told_that_all_is_well() -> None:
    assert (
        alert.listing([], MONDAY, watches=0, watch_line="/registry watch SITE").text
        == "This channel watches nothing, so it has no alerts."
    )


def test_the_answer_to_a_click() -> None:
    assert read(alert.answer(acknowledge(incident(), "U1", MONDAY))) == snapshot(
        "edge01 in contosoacr is offline. Acknowledged by <@U1>. This holds until it gets worse.\n"
    )
    assert read(alert.answer(snooze(incident(), "morning", MONDAY, "Europe/Berlin"))) == snapshot(
        "edge01 in contosoacr is offline. Snoozed until 2026-03-03 07:00 UTC. This holds until it gets worse.\n"
    )


def test_a_name_cannot_format_or_mention() -> None:
    shown = alert.card(incident(subject=f"{ACR}/<!here>*"))

    assert "<!here>" not in shown.text


def test_the_key_names_the_registry() -> None:
    assert alert.title(incident(subject=KEY)) == "edge01 in contosoacr is offline"
