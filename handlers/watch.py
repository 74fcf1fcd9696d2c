"""Watch a site, a cloud registry or the whole fleet from a channel: summaries on a schedule, and alerts."""

import asyncio
import zoneinfo
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from handlers.kit.command import Arguments, command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.nearest import nearest, ranked
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.kit.words import join
from handlers.views import summary as summary_views
from handlers.views import watches as views
from services.model.errors import Invalid, NotFound
from services.model.ids import new_id
from services.model.watch import Watch
from services.policy import cron
from services.services import Services
from services.watching import scope

Loudness = Literal["on", "off", "critical"]
_DIGEST_DEADLINE = timedelta(seconds=15)
NEVER = "never"
"""The value of `--every` for no summaries."""


# --- watch ----------------------------------------------------------------------------------------------------------


async def _form(request: Request, arguments: Arguments, services: Services) -> Modal:
    """The command's form, with what the channel's only watch is now.

    Where there are several, only what was typed is filled in: an empty field keeps what a watch has. A first watch has
    summaries on workdays, in the person's own time zone.
    """
    existing = await _visible(request, services)
    values: dict[str, object] = {}
    match existing:
        case ():
            values = {"every": "0 9 * * 1-5", "tz": request.person.tz, "alerts": "on"}
        case (watch,):
            values = {"subject": watch.subject or "all", "every": watch.every or NEVER, "tz": watch.tz}
            values |= {"alerts": watch.alerts}
    values |= {name: value for name, value in arguments.items() if value}
    initial = {name: str(value) for name, value in values.items()}
    unchanged = t(" Empty: as it is.") if existing else ""
    return Modal(
        t("Watch registries"),
        t("Continue"),
        "watch",
        (
            Field(
                "subject",
                t("What"),
                kind="suggest",
                initial=initial.get("subject", ""),
                required=True,
                positional=True,
                hint=t("A site, a cloud registry, or all."),
            ),
            Field(
                "every",
                t("Summary"),
                initial=initial.get("every", ""),
                placeholder="0 9 * * 1-5",
                hint=t(
                    "A cron expression: minute, hour, day of month, month, day of week. "
                    "'{never}' for no summaries.{unchanged}",
                    never=NEVER,
                    unchanged=unchanged,
                ),
            ),
            Field("tz", t("Time zone"), kind="suggest", initial=initial.get("tz", "")),
            Field(
                "alerts",
                t("Alerts"),
                kind="choice",
                choices=("on", "critical", "off"),
                initial=initial.get("alerts", ""),
                hint=t("One message for each problem, kept up to date.{unchanged}", unchanged=unchanged),
            ),
        ),
    )


async def _subjects(request: Request, typed: str, services: Services) -> Sequence[str]:
    """Sites and cloud registries that this person may watch."""
    permitted = permitted_sites(request, services, "watch:write")
    return ranked(typed, ["all", *(site.name for site in permitted), *(site.acr.name for site in permitted)])


async def _zones(_request: Request, typed: str, _services: Services) -> Sequence[str]:
    return ranked(typed, zoneinfo.available_timezones())


@command(
    "watch",
    needs="watch:write",
    examples=(
        'watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin',
        "watch contosoacr --alerts critical",
        'watch all --every "0 8 * * 1" --alerts off',
    ),
    changes=True,
    modal=_form,
    group="Watching",
    suggest={"subject": _subjects, "tz": _zones},
)
async def watch(
    request: Request,
    subject: str,
    *,
    every: str | None = None,
    tz: str | None = None,
    alerts: Loudness | None = None,
    yes: bool = False,
    services: Services,
) -> Message:
    """Post summaries and alerts about connected registries in this channel.

    Before a schedule is saved, you see it in words with its next three times. If the channel already has this watch, it
    is changed, and options that you leave out keep their values.

    Args:
        subject: A site, a cloud registry, or all.
        every: Cron expression of the summaries, days of the week as in crontab; never for no summaries.
        tz: Time zone of the schedule, such as Europe/Berlin; by default yours from Slack.
        alerts: on, off, or critical for critical alerts only; on by default.
        yes: Save without a preview.
    """
    scope_word, name = scope.named(subject, services.sites)
    existing = await services.watches.of_channel(request.place)
    before = next((one for one in existing if (one.scope, one.subject) == (scope_word, name)), None)
    schedule = (before.every if before else "") if every is None else every
    zone = tz or (before.tz if before and before.every else request.person.tz)
    if schedule.lower() == NEVER:
        schedule = ""
    parsed = cron.parse(schedule or "0 0 * * *", zone)
    planned = Watch(
        id=before.id if before else new_id("w"),
        place=request.place,
        scope=scope_word,
        subject=name,
        every=parsed.expression if schedule else "",
        tz=parsed.tz,
        alerts=alerts or (before.alerts if before else "on"),
        by=request.person.id,
        created=request.now,
    )
    _enforce(request, planned, services, "watch:write")
    if not planned.every and planned.alerts == "off":
        raise Invalid("alerts", "off", "watch.nothing")
    if planned.every and (every is not None or tz is not None) and not yes:
        line = ["watch", name or "all", "--every", planned.every, "--tz", planned.tz, "--alerts", planned.alerts]
        return views.preview(planned, request.now, saves=join([*line, "--yes"]))
    digest = None  # how everything is that the watch covers, before it begins
    if planned.alerts != "off":
        with suppress(TimeoutError):
            async with asyncio.timeout(_DIGEST_DEADLINE.total_seconds()):
                digest = await services.reporting.report(planned)
    # What the digest shows is older than the watch, so that it gets no alert of its own.
    created = max(request.now, digest.summary.at) if digest else request.now
    saved = await services.watches.save(replace(planned, created=created))
    return replace(views.saved(saved, request.now, digest), visibility="channel", clears=True)


def _enforce(request: Request, watch: Watch, services: Services, permission: str) -> None:
    """A watch shows all its sites, so the permission has to hold at each of them. Raises `Denied`."""
    for site in scope.sites_of(watch, services.sites):
        services.policy.decide(request.person, request.place, permission, site).enforce()


async def _visible(request: Request, services: Services) -> tuple[Watch, ...]:
    """The channel's watches whose sites this person may all read."""
    readable = permitted_sites(request, services, "registry:read")
    watches = await services.watches.of_channel(request.place)
    return tuple(watch for watch in watches if all(site in readable for site in scope.sites_of(watch, services.sites)))


async def _find(request: Request, subject: str, services: Services) -> Watch:
    """The channel's watch with this subject or id. Raises `NotFound` with the names that the person may see."""
    word = subject.lower()
    for watch in await services.watches.of_channel(request.place):
        if word in (watch.id, (watch.subject or "all").lower()):
            return watch
    names = [watch.subject or "all" for watch in await _visible(request, services)]
    raise NotFound("watch", subject, nearest(subject, names) or tuple(names[:3]))


# --- unwatch, watches -----------------------------------------------------------------------------------------------


async def _unwatch_form(request: Request, _arguments: Arguments, services: Services) -> Modal:
    hint = "" if await services.watches.of_channel(request.place) else t("This channel watches nothing.")
    field = Field("subject", t("What"), kind="suggest", required=True, positional=True, hint=hint)
    return Modal(t("End a watch"), t("End"), "unwatch", (field,))


async def _watched_subjects(request: Request, typed: str, services: Services) -> Sequence[str]:
    return ranked(typed, [watch.subject or "all" for watch in await _visible(request, services)])


@command(
    "unwatch",
    needs="watch:write",
    examples=("unwatch berlin",),
    changes=True,
    modal=_unwatch_form,
    group="Watching",
    suggest={"subject": _watched_subjects},
)
async def unwatch(request: Request, subject: str, *, services: Services) -> Message:
    """End this channel's watch of a site, a cloud registry or everything.

    Args:
        subject: The site or cloud registry, all, or the watch's id.
    """
    watch = await _find(request, subject, services)
    _enforce(request, watch, services, "watch:write")
    await services.watches.remove(watch)
    return replace(views.removed(watch), visibility="channel")


@command(
    "watches",
    needs="registry:read",
    examples=("watches", "watches --now", "watches berlin --now"),
    group="Watching",
)
async def watches(
    request: Request, subject: str | None = None, *, now: bool = False, services: Services
) -> Message | None:
    """List what this channel watches, or post its summaries now.

    Args:
        subject: Only this watch: its site or cloud registry, all, or its id.
        now: Post the summary now, in addition to those on schedule.
    """
    visible = await _visible(request, services)
    hidden = len(await services.watches.of_channel(request.place)) - len(visible)
    if subject is not None:
        watch = await _find(request, subject, services)
        _enforce(request, watch, services, "registry:read")
        visible, hidden = (watch,), 0
    if not now or not visible:
        return views.listing(visible, request.now, watch_line=request.line("watch SITE"), hidden=hidden)
    for watch in visible:
        await services.reports.post_now(watch)
    return None


# --- summaries ------------------------------------------------------------------------------------------------------


@command("summary show", needs="registry:read", examples=("summary show w-7k3q9xa --page 2",), group="Watching")
async def summary_show(
    request: Request,
    id: str,  # noqa: A002 - what people type
    *,
    page: int = 1,
    turn: bool = False,
    services: Services,
) -> Message:
    """Show the current summary of a watch, page by page.

    Args:
        id: The watch's id.
        page: Page number.
        turn: Replace the page that you are reading.
    """
    watch = await services.watches.get(id)
    _enforce(request, watch, services, "registry:read")
    report = await services.reporting.report(watch)
    return replace(summary_views.of_watch(watch, report, page, mine=True), visibility="private", replace=turn)
