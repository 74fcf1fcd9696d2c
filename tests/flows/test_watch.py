"""Watching, as a conversation: subscribing, alerts that develop, summaries, and a bot that is started again."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from prometheus_client.parser import text_string_to_metric_families

from bot import metrics
from tests.flows.conversation import POLICY, Conversation, conversation


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot in the default world, with a connected registry that is online."""
    async with conversation(tmp_path) as talk:
        await talk.say("deploy edge01 --site berlin")
        # It would report each minute, and what a test says of it would hold until then.
        await talk.post("/sandbox/edge/berlin", link="down")
        talk.said.clear()
        yield talk


async def poll(talk: Conversation, **later: float) -> None:
    """Let time pass for the bot, and let it ask Azure once."""
    if later:
        talk.time.ahead += timedelta(**later)
        talk.said.append(f"       ({timedelta(**later)} later)")
    await talk.bot.watching.cycle()
    await talk.quiet()


def daily(**ahead: float) -> str:
    """A schedule whose next time is so far ahead, and the one after that a day later."""
    return f"{datetime.now(UTC) + timedelta(**ahead):%M %H} * * *"


def dateless(text: str) -> str:
    """Without moments, days and spans, which differ from run to run."""
    text = re.sub(r"<!date[^>]*>", "DATE", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d\b", "DAY", text)
    return re.sub(r"\b(\d+ (min|h) )?(\d+|N) (s|min)\b|(?<=\| )\d+ h\b", "SPAN", text)


async def edge_is(talk: Conversation, state: str) -> None:
    """What Azure says of edge01 from now on."""
    now = talk.time.now().isoformat()
    values: dict[str, Any] = {"connectionState": state}
    if state == "Online":
        values |= {"lastActivityTime": now, "lastSyncTime": now}
    await talk.post("/sandbox/azure/connectedregistries/contosoacr/edge01", **values)


async def test_a_watch_without_a_schedule_is_saved_at_once(registry: Conversation) -> None:
    await registry.say("watch berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin
bot    This channel watches site berlin, summaries none   [Summary now]\
""")


async def test_a_schedule_is_read_back_before_it_is_saved(registry: Conversation) -> None:
    await registry.say('watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin')
    assert await registry.bot.store.watches.all() == ()
    await registry.click("Save", as_="alice")

    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin
bot    (only alice) Not saved yet: watch site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Save]
alice  [Save]
bot    This channel watches site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Summary now]\
""")
    assert [one.every for one in await registry.bot.store.watches.all()] == ["0 9 * * 1-5"]


@pytest.mark.everywhere
async def test_an_alert_opens_is_taken_care_of_and_resolved_in_one_message(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await registry.click("Acknowledge", as_="carol")
    await edge_is(registry, "Online")
    await poll(registry, minutes=10)
    await edge_is(registry, "Online")
    await poll(registry, minutes=20)

    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin
bot    This channel watches site berlin, summaries none   [Summary now]
       (0:20:00 later)
bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
carol  [Acknowledge]
bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
bot    (only carol) edge01 at berlin is offline. Acknowledged by <@U0CAROL>. This holds until it gets worse.
       (0:10:00 later)
bot    :large_orange_circle:  *edge01 at berlin is recovering*   [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
       (0:20:00 later)
bot    :white_check_mark:  *edge01 at berlin has recovered*   [Show]\
""")
    assert [dateless(line) for line in await registry.thread()] == snapshot(
        [
            ":eyes:  @carol has acknowledged it.",
            ":white_check_mark:  edge01 at berlin has recovered. It lasted SPAN.",
        ]
    )


async def test_after_a_restart_the_same_message_goes_on(registry: Conversation) -> None:
    await registry.say("watch all")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await registry.restart()
    await edge_is(registry, "Online")
    await poll(registry, minutes=10)
    await edge_is(registry, "Online")
    await poll(registry, minutes=20)

    assert await registry.transcript() == snapshot("""\
alice  /registry watch all
bot    This channel watches the whole fleet, summaries none   [Summary now]
       (0:20:00 later)
bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
       (the bot is started again)
       (0:10:00 later)
bot    :large_orange_circle:  *edge01 at berlin is recovering*   [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
       (0:20:00 later)
bot    :white_check_mark:  *edge01 at berlin has recovered*   [Show]\
""")


async def test_a_summary_that_was_missed_is_posted_once_and_says_so(registry: Conversation) -> None:
    await registry.say(f'watch berlin --every "{daily(hours=2)}" --tz UTC --alerts off --yes')
    registry.time.ahead += timedelta(hours=3)
    registry.said = ["       (the bot is down for three hours)"]
    await registry.restart()
    await registry.quiet()
    await registry.restart()
    await registry.quiet()

    posted = [one for one in await registry.messages() if str(one["text"]).startswith("Summary")]
    assert len(posted) == 1
    assert await registry.transcript() == snapshot("""\
       (the bot is down for three hours)
       (the bot is started again)
bot    Summary of site berlin: 1 healthy   [Show all]
       (the bot is started again)\
""")
    assert dateless(await registry.answer()).replace("\N{EN DASH}", "-") == snapshot("""\
Registry: *Summary of site berlin*  ·  1 healthy
  :alarm_clock:  Due TIME and posted late.
  As expected: 1 healthy As of TIME
  [Show all]\
""")


async def test_a_lost_reply_does_not_post_a_summary_twice(registry: Conversation) -> None:
    await registry.say(f'watch berlin --every "{daily(hours=2)}" --tz UTC --alerts off --yes')
    registry.time.ahead += timedelta(hours=2, minutes=1)
    await registry.fault("slack", "chat.postMessage", "lose_reply")
    await registry.bot.board.sweep(None)
    await registry.quiet()
    await registry.restart()
    await registry.quiet()

    posted = [one for one in await registry.messages() if str(one["text"]).startswith("Summary")]
    assert len(posted) == 1


async def test_an_alert_that_got_worse_is_snoozed_no_longer(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await registry.click("Snooze until it changes", as_="alice")
    await poll(registry, hours=30)

    assert dateless(await registry.transcript()) == snapshot("""\
alice  /registry watch berlin
bot    This channel watches site berlin, summaries none   [Summary now]
       (0:20:00 later)
bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
alice  [Snooze until it changes]
bot    (only alice) edge01 at berlin is offline. Snoozed until it changes. This holds until it gets worse.
       (1 day, 6:00:00 later)
bot    :red_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
bot    :small_red_triangle:  edge01 at berlin is offline. Worse, now critical. A contact was due DATE. The last one was DATE. The snooze has ended. <@U0ALICE> <@U0CAROL>\
""")


async def test_a_channel_that_wants_critical_alerts_hears_no_others(registry: Conversation) -> None:
    await registry.say("watch berlin --alerts critical")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await poll(registry, hours=30)

    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin --alerts critical
bot    This channel watches site berlin, summaries none   [Summary now]
       (0:20:00 later)
       (1 day, 6:00:00 later)
bot    :red_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]\
""")


async def test_a_resolved_alert_can_not_be_taken_care_of(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    alert = (await registry.bot.store.incidents.recent())[0].incident.id
    await edge_is(registry, "Online")
    await poll(registry, minutes=10)
    await edge_is(registry, "Online")
    await poll(registry, minutes=20)
    registry.said.clear()
    await registry.say(f"alert acknowledge {alert}", as_="carol")

    assert (await registry.transcript()).replace(alert, "ALERT") == snapshot("""\
carol  /registry alert acknowledge ALERT
bot    (only carol) `ALERT` is resolved, so this is no longer possible.\
""")


async def test_trouble_that_is_older_than_the_watch_is_in_the_summary_and_is_no_alert(registry: Conversation) -> None:
    await registry.say("watch hamburg")
    await registry.say("watch contosoacr", as_="carol")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    registry.channel = "general"
    await registry.say("watch berlin")
    await poll(registry, minutes=1)
    await registry.say("watches --now")

    assert [one["text"] for one in await registry.messages() if "bot_id" in one] == snapshot(
        ["This channel watches site berlin, summaries none", "Summary of site berlin: 1 offline"]
    )


async def test_what_is_wrong_when_a_watch_begins_is_one_digest_and_gets_no_alert(registry: Conversation) -> None:
    await edge_is(registry, "Offline")
    registry.time.ahead += timedelta(minutes=20)
    await registry.say("watch all")
    digest = await registry.answer()
    await poll(registry, minutes=1)
    await poll(registry, minutes=15)

    assert (dateless(digest), await registry.transcript()) == snapshot(
        (
            """\
Registry: :eyes:  This channel now watches *the whole fleet*, set up by @alice.
  Summaries: not on a schedule.
  Alerts: one message for each problem.
  :warning:  *1 connected registry is not well already*. Alerts follow when one of them changes, and for everything new.
  Name | Health | Site | Last contact | Cloud registry
  edge01 | offline | berlin | SPAN ago | contosoacr
  [Summary now]\
""",
            """\
alice  /registry watch all
bot    This channel watches the whole fleet, summaries none   [Summary now]
       (0:01:00 later)
       (0:15:00 later)\
""",
        )
    )


async def test_all_alerts_of_a_channel_are_acknowledged_at_once(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await registry.say("alert list", as_="carol")
    await registry.click("Acknowledge all", as_="carol")
    await registry.say("alert list", as_="carol")

    assert dateless(await registry.answer("carol")).partition("| 1 |")[0] == snapshot("""\
Registry (only you): *1 open alert, worst first*
  Alert | Severity | For | State | Registries | Id
  edge01 at berlin is offline | warning | SPAN | acknowledged \
""")


async def test_bare_it_is_a_form(registry: Conversation) -> None:
    await registry.say("watch")
    await registry.fill(subject="berlin", every="0 9 * * mon-fri", tz="Europe/Berlin", alerts="critical")
    await registry.click("Save", as_="alice")

    assert await registry.transcript() == snapshot("""\
alice  /registry watch
alice  (form) subject=berlin, every=0 9 * * mon-fri, tz=Europe/Berlin, alerts=critical
bot    (only alice) Not saved yet: watch site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Save]
alice  [Save]
bot    This channel watches site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Summary now]\
""")


async def test_a_bad_expression_is_refused_with_the_fault_marked(registry: Conversation) -> None:
    await registry.say('watch berlin --every "0 9 * * 1-8"')
    await registry.say('watch berlin --every "0 9 * * 1" --tz Europe/Berlim')
    await registry.say("watch berlim")
    await registry.say("watch berlin --alerts off")

    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin --every "0 9 * * 1-8"
bot    (only alice) `8` is not a valid day of the week. Allowed: 0 to 7, SUN to SAT (0 and 7 are Sunday), a list, a range, or `*`.
       ```0 9 * * 1-8
                 ^```
alice  /registry watch berlin --every "0 9 * * 1" --tz Europe/Berlim
bot    (only alice) `Europe/Berlim` is not a time zone. Did you mean `Europe/Berlin`, `Europe/Dublin` or `Europe/Rome`?
       /registry watch berlin --every "0 9 * * 1" --tz Europe/Berlin   [Run this]
alice  /registry watch berlim
bot    (only alice) There is no site or cloud registry `berlim`. Did you mean `berlin`?
       /registry watch berlin   [Run this]
alice  /registry watch berlin --alerts off
bot    (only alice) A watch without summaries and alerts would never post anything.\
""")


async def test_the_channels_watches_are_listed_changed_and_ended(registry: Conversation) -> None:
    await registry.say('watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin --yes')
    await registry.say("watch berlin --alerts critical")
    await registry.say("watch all --alerts on")
    await registry.say("watches")
    listed = await registry.answer()
    await registry.say("unwatch all")
    await registry.say("unwatch hamburg")

    watch = (await registry.bot.store.watches.all())[0]
    assert (watch.every, watch.tz, watch.alerts) == ("0 9 * * 1-5", "Europe/Berlin", "critical")
    assert await registry.transcript() == snapshot("""\
alice  /registry watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin --yes
bot    This channel watches site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Summary now]
alice  /registry watch berlin --alerts critical
bot    This channel watches site berlin, summaries at 09:00 on Monday to Friday, Europe/Berlin   [Summary now]
alice  /registry watch all --alerts on
bot    This channel watches the whole fleet, summaries none   [Summary now]
alice  /registry watches
bot    (only alice) This channel watches the whole fleet and site berlin   [Summary now] [Unwatch] [Summary now] [Unwatch]
alice  /registry unwatch all
bot    This channel no longer watches *the whole fleet*.
alice  /registry unwatch hamburg
bot    (only alice) There is no watch `hamburg`. Did you mean `berlin`?
       /registry unwatch berlin   [Run this]\
""")
    assert "Europe/Berlin" in listed


async def test_who_only_reads_may_not_subscribe_a_channel(registry: Conversation) -> None:
    await registry.say("watch berlin", as_="dave")

    assert await registry.transcript() == snapshot("""\
dave   /registry watch berlin
bot    (only dave) This needs `watch:write`, which you don't have. The role *operator*, *approver* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")
    assert await registry.bot.store.watches.all() == ()


# Counters are each process's own.
@pytest.mark.only_on("sqlite", "postgresql")
async def test_figures_are_there_for_prometheus(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    async with registry.http.get(f"{registry.bot.http.url}/metrics") as answer:
        page = await answer.text()
    lines, families = page.splitlines(), list(text_string_to_metric_families(page))

    assert 'registry_bot_health{acr="contosoacr",name="edge01",state="healthy"} 1.0' in lines
    assert 'registry_bot_operations{state="succeeded"} 1.0' in lines
    assert "registry_bot_replicas 1.0" in lines
    assert 'registry_bot_open_alerts{acr="contosoacr",severity="critical"} 0.0' in lines
    assert any(line.startswith('registry_bot_poll_age_seconds{acr="contosoacr"}') for line in lines)
    assert any(line.startswith("registry_bot_last_contact_timestamp_seconds{") for line in lines)
    assert 'registry_bot_trouble{part="slack"} 0.0' in lines
    labels = {sample.name: set(sample.labels) for family in families for sample in family.samples}
    assert labels == {metrics.PREFIX + metric.name: set(metric.labels) for metric in metrics.METRICS}
    counters = {
        sample.name for family in families if family.type == "counter" for sample in family.samples if sample.value
    }
    assert (
        len(counters) == sum(metric.kind == "counter" for metric in metrics.METRICS) - 1
    )  # nobody's work was taken over


def fleet(talk: Conversation, size: int) -> None:
    """Let the cloud registry have so many connected registries, all online."""
    assert talk.box.azure
    registry = talk.box.azure.cloud.registries["contosoacr"]
    known = registry.connected["edge01"]
    for number in range(size - len(registry.connected)):
        name = f"store{number:04}"
        registry.connected[name] = replace(known, name=name)


async def test_all_rows_of_a_summary_are_turned_page_by_page_by_each_reader(registry: Conversation) -> None:
    fleet(registry, 150)
    await registry.say("watch berlin")
    await registry.say("watches --now")
    posted = dateless(await registry.answer("bob"))
    await registry.click("Show all", as_="bob")
    await registry.click("Next page", as_="bob")
    page = await registry.answer("bob")
    await registry.click("Previous page", as_="bob")

    again = [one["text"] for one in await registry.messages("bob") if "Summary" in str(one["text"])]
    assert posted == snapshot("""\
Registry: *Summary of site berlin*  ·  150 healthy
  As expected: 150 healthy As of TIME
  [Show all]\
""")
    assert len(again) == 2
    assert "page 2 of 2" in page
    assert "page 1 of 2" in await registry.answer("bob")


async def test_a_very_long_summary_brings_its_rows_as_a_file(registry: Conversation) -> None:
    fleet(registry, 400)
    await registry.say("watch berlin")
    await registry.say("watches --now")

    posted = next(one for one in await registry.messages() if "Summary" in str(one["text"]))
    thread = await registry.get("read", **{"as": "alice", "channel": registry.channel})
    assert posted["text"] == "Summary of site berlin: 400 healthy"
    assert "[file All rows" in thread["lines"][-1]


async def test_what_could_never_be_asked_is_named_in_the_summary(registry: Conversation) -> None:
    await registry.fault("azure", "GET .*/connectedRegistries$", status=403, code="AuthorizationFailed", times=None)
    await registry.say("watch berlin --alerts critical")
    await registry.say("watches --now")

    assert await registry.answer() == snapshot("""\
Registry: *Summary of site berlin*  ·  no connected registries
  As of TIME
  :grey_question:  *contosoacr* could not be read, so nothing is known about the connected registries there.\
""")


async def test_an_alert_is_shown_with_everything_about_it(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    await edge_is(registry, "Offline")
    await poll(registry, minutes=20)
    await registry.say("alert list")
    listed = await registry.answer()
    await registry.click("Show", as_="bob")

    alert = (await registry.bot.store.incidents.recent())[0].incident.id
    assert dateless(listed).replace(alert, "ALERT") == snapshot("""\
Registry (only you): *1 open alert, worst first*
  Alert | Severity | For | State | Registries | Id
  edge01 at berlin is offline | warning | SPAN | open | 1 | ALERT
  [Show the worst] [Acknowledge all]\
""")
    assert dateless(await registry.answer("bob")).replace(alert, "ALERT") == snapshot("""\
Registry (only you): :large_orange_circle:  *edge01 at berlin is offline*
  A contact was due TIME. The last one was TIME.
  *Severity* warning
  *Since* TIME
  *Undelivered messages expire from* DAY
  *Cluster* `berlin-arc`
  *What to do*
  See whether the edge has power and a way to Azure. `extension show edge01` shows whether it runs in its cluster, and why not.
  [Check berlin]
  `ALERT`
  [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
  Name | Health | State | Last sync (UTC) | Lag | Next contact (UTC) | Schedule (UTC)
  edge01 | offline | Offline | TIME | SPAN | – | continuous
  Opened TIME, still open, SPAN\
""")


async def test_syncs_that_fail_while_it_is_online_are_an_alert(registry: Conversation) -> None:
    await registry.say("watch berlin")
    await poll(registry)
    succeeded = (registry.time.now() - timedelta(hours=2)).isoformat()
    result = {"syncTrigger": "RecoveryService", "syncState": "Failed", "lastSuccessfulSyncEndTime": succeeded}
    await registry.post("/sandbox/azure/connectedregistries/contosoacr/edge01", registrySyncResult=result)
    await poll(registry, minutes=1)
    await poll(registry, minutes=1)
    alert = await registry.answer()
    await registry.say("show edge01")

    incident = (await registry.bot.store.incidents.recent())[0].incident.id
    assert dateless(alert).replace(incident, "ALERT") == snapshot("""\
Registry: :large_orange_circle:  *edge01 at berlin is unhealthy*
  It is connected, but its last full sync ended as `Failed`. The last one that succeeded ended TIME.
  *Severity* warning
  *Since* TIME
  *Cluster* `berlin-arc`
  *What to do*
  See whether the repositories that it may sync are still in the cloud registry, and read its log on its cluster: `kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry --tail 100`.
  [Check berlin]
  `ALERT`
  [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]\
""")
    assert dateless(await registry.answer()) == snapshot("""\
Registry (only you): :large_orange_circle:  *edge01* at *berlin* is Online
  *Unhealthy*: It is connected, but its last full sync ended as `Failed`. The last one that succeeded ended TIME.
  *Mode* ReadOnly
  *Activation* Active
  *Last sync* TIME (SPAN ago)
  *Last full sync* Failed (RecoveryService), the last good one TIME
  *Schedule* continuous
  *Login server at the edge* `10.96.0.2`
  *Parent* contosoacr
  *Extension* Succeeded 0.11.0
  *Messages are kept for* 2 d  ·  *Runtime* 0.11.0  ·  *Client tokens* none  ·  *Garbage collection* on, 0 0 * * * UTC  ·  *Log level* Information  ·  *Notifications* none
  [Extension] [Permissions] [Tokens]\
""")


async def test_a_summary_is_not_read_around_the_policy(tmp_path: Path) -> None:
    everywhere = {"name": "readers", "roles": ["viewer"], "to": ["everyone"], "sites": ["hamburg"]}
    policy = POLICY | {"grants": [*POLICY["grants"][:2], everywhere]}
    async with conversation(tmp_path, policy=policy) as talk:
        await talk.say("watch berlin")
        watch = (await talk.bot.store.watches.all())[0].id
        talk.said.clear()
        await talk.say(f"summary show {watch}", as_="dave")

        assert (await talk.transcript()).replace(watch, "WATCH") == snapshot("""\
dave   /registry summary show WATCH
bot    (only dave) You may do this elsewhere, but not at `berlin` (development): you need `registry:read` there. The role *viewer*, *operator*, *approver* or *admin* includes it; the access file grants roles.\
""")


async def test_the_form_shows_the_channels_only_watch_and_an_emptied_field_changes_nothing(
    registry: Conversation,
) -> None:
    await registry.say('watch berlin --every "0 7 * * 1-5" --tz Europe/Berlin --alerts critical --yes')
    await registry.say("watch")
    initial = str(await registry.form())
    await registry.fill(every="", alerts="off")
    await registry.click("Save", as_="alice")
    [saved] = await registry.bot.store.watches.all()

    assert all(value in initial for value in ("berlin", "0 7 * * 1-5", "Europe/Berlin", "critical"))
    assert (saved.every, saved.tz, saved.alerts) == ("0 7 * * 1-5", "Europe/Berlin", "off")
