"""Watch a site, a cloud registry or the whole fleet from a channel: summaries on a schedule, and alerts."""

import zoneinfo
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from handlers.kit import blocks
from handlers.kit.command import Given, command
from handlers.kit.message import Field, Message, Modal
from handlers.kit.nearest import nearest, ranked
from handlers.kit.request import Request
from handlers.kit.text import bold, listed
from handlers.kit.words import join
from handlers.views import summary as summary_views
from handlers.views import watches as views
from services.model.errors import Invalid, NotFound
from services.model.ids import new_id
from services.model.watch import Watch
from services.services import Services
from services.watching import cron, scope
from services.watching.reports import Report

Loudness = Literal["on", "off", "critical"]
NEVER = "never"
"""Said for `--every`: no summaries."""


def summary(
    watch: Watch, report: Report, page: int = 1, *, mine: bool = False, late: datetime | None = None
) -> Message:
    """A page of a summary: the channel's, or one reader's (`mine`), who turns pages without turning everybody's."""
    turns = f"summary show {watch.id}" + (" --turn" if mine else "")
    message = summary_views.page(report.summary, page, turns=turns, title=views.subject(watch), late=late)
    if not report.unread:
        return message
    names = listed(map(bold, report.unread))
    note = blocks.context(f":grey_question:  {names} could not be asked, so nothing is known of what is in there.")
    return replace(message, blocks=(*message.blocks, note))


# --- watch ----------------------------------------------------------------------------------------------------------


async def _form(request: Request, given: Given, _services: Services) -> Modal:
    """The same as the command, in the person's own time zone."""
    return Modal(
        "Watch registries",
        "Continue",
        "watch",
        (
            Field(
                "subject",
                "What",
                kind="suggest",
                initial=str(given.get("subject") or ""),
                required=True,
                positional=True,
                hint="A site, a cloud registry, or all.",
            ),
            Field(
                "every",
                "Summary",
                initial=str(given.get("every") or "0 9 * * 1-5"),
                placeholder="0 9 * * 1-5",
                hint="A cron expression: minute, hour, day of month, month, day of week. Empty: no summaries.",
            ),
            Field("tz", "Time zone", kind="suggest", initial=str(given.get("tz") or request.person.tz)),
            Field(
                "alerts",
                "Alerts",
                kind="choice",
                choices=("on", "critical", "off"),
                initial=str(given.get("alerts") or "on"),
                hint="One message for each thing that goes wrong, kept up to date.",
            ),
        ),
    )


async def _subjects(request: Request, typed: str, services: Services) -> Sequence[str]:
    """Sites and cloud registries that this person may look at."""
    policy = services.policy
    may = [
        site
        for site in services.sites.values()
        if policy.decide(request.person, request.place, "watch:write", site).allowed
    ]
    return ranked(typed, ["all", *(site.name for site in may), *(site.acr.name for site in may)])


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
    """Let this channel hear how its connected registries are: summaries on a schedule, and alerts.

    A schedule is read back in words, with its next three times, before it is saved. What the channel watches already is
    changed: what you leave out stays as it is.

    Args:
        subject: A site, a cloud registry, or all.
        every: Cron expression of the summaries, days of the week as in crontab; never for none.
        tz: Its time zone, such as Europe/Berlin; without it your own from Slack.
        alerts: on, off, or only critical ones; on if not said.
        yes: Save without asking back.
    """
    wanted = await _wanted(request, subject, every=every, tz=tz, alerts=alerts, services=services)
    changes_schedule = bool(wanted.every) and (every is not None or tz is not None)
    if changes_schedule and not yes:
        said = ["watch", wanted.subject or "all", "--every", wanted.every, "--tz", wanted.tz, "--alerts", wanted.alerts]
        return views.preview(wanted, request.now, saves=join([*said, "--yes"]))
    saved = await services.watches.save(wanted)
    return replace(views.saved(saved, request.now), visibility="channel", clears=True)


async def _wanted(
    request: Request,
    subject: str,
    *,
    every: str | None,
    tz: str | None,
    alerts: Loudness | None,
    services: Services,
) -> Watch:
    """What is there already with what was said; refuses what is unknown, not allowed, or says nothing."""
    scope, name = _scope(subject, services)
    known = await _of_channel(request, services, scope, name)
    schedule = known.every if known and every is None else every or ""
    zone = tz or (known.tz if known and known.every else request.person.tz)
    if schedule.lower() == NEVER:
        schedule = ""
    parsed = cron.parse(schedule or "0 0 * * *", zone)
    found = Watch(
        id=known.id if known else new_id("w"),
        place=request.place,
        scope=scope,  # type: ignore[arg-type]  # one of the scopes' own words
        subject=name,
        every=parsed.expression if schedule else "",
        tz=parsed.tz,
        alerts=alerts or (known.alerts if known else "on"),
        by=request.person.id,
        created=request.now,
    )
    _may(request, found, services)
    if not found.every and found.alerts == "off":
        raise Invalid("alerts", "off", "watch.nothing")
    return found


def _scope(subject: str, services: Services) -> tuple[str, str]:
    try:
        return scope.named(subject, services.sites)
    except NotFound as error:
        known = ["all", *services.sites, *(site.acr.name for site in services.sites.values())]
        raise NotFound(error.kind, error.name, nearest(subject, known)) from None


def _may(request: Request, found: Watch, services: Services, permission: str = "watch:write") -> None:
    """A watch tells of all its sites, so all have to be this person's to hear or tell of."""
    for site in scope.sites_of(found, services.sites):
        services.policy.decide(request.person, request.place, permission, site).enforce()


async def _of_channel(request: Request, services: Services, scope: str, name: str) -> Watch | None:
    found = await services.watches.of_channel(request.place)
    return next((one for one in found if (one.scope, one.subject) == (scope, name)), None)


# --- unwatch, watches -----------------------------------------------------------------------------------------------


async def _which(request: Request, _given: Given, services: Services) -> Modal:
    known = await services.watches.of_channel(request.place)
    names = tuple(one.subject or "all" for one in known)
    hint = "" if names else "This channel watches nothing."
    field = Field("subject", "What", kind="suggest", required=True, positional=True, hint=hint)
    return Modal("End a watch", "End", "unwatch", (field,))


async def _watched(request: Request, typed: str, services: Services) -> Sequence[str]:
    return ranked(typed, [one.subject or "all" for one in await services.watches.of_channel(request.place)])


@command(
    "unwatch",
    needs="watch:write",
    examples=("unwatch berlin",),
    changes=True,
    modal=_which,
    suggest={"subject": _watched},
)
async def unwatch(request: Request, subject: str, *, services: Services) -> Message:
    """End this channel's watch of a site, a cloud registry or everything.

    Args:
        subject: What is watched, or the watch's id.
    """
    known = await services.watches.of_channel(request.place)
    typed = subject.lower()
    found = next((one for one in known if typed in (one.id, (one.subject or "all").lower())), None)
    if found is None:
        names = [one.subject or "all" for one in known]
        raise NotFound("watch", subject, nearest(subject, names) or tuple(names[:3]))
    _may(request, found, services)
    await services.watches.remove(found)
    return replace(views.removed([found]), visibility="channel")


@command("watches", needs="registry:read", examples=("watches", "watches --now", "watches berlin --now"))
async def watches(
    request: Request, subject: str | None = None, *, now: bool = False, services: Services
) -> Message | None:
    """List what this channel watches, or post its summaries now.

    Args:
        subject: Only this watch: what is watched, or its id.
        now: Post the summary now, beside those on schedule.
    """
    known = await services.watches.of_channel(request.place)
    if subject is not None:
        typed = subject.lower()
        chosen = tuple(one for one in known if typed in (one.id, (one.subject or "all").lower()))
        if not chosen:
            names = [one.subject or "all" for one in known]
            raise NotFound("watch", subject, nearest(subject, names) or tuple(names[:3]))
        known = chosen
    if not now or not known:
        return views.listing(known, request.now)
    for one in known:
        await services.reports.post_now(one)
    return None


# --- summaries ------------------------------------------------------------------------------------------------------


@command("summary show", needs="registry:read", examples=("summary show w-7k3q9xa --page 2",))
async def summary_show(
    request: Request,
    id: str,  # noqa: A002 - what people type
    *,
    page: int = 1,
    turn: bool = False,
    services: Services,
) -> Message:
    """Show a watch's summary as it is now, page by page.

    Args:
        id: The watch's id.
        page: Which page.
        turn: Turn the page in place.
    """
    found = await services.watches.get(id)
    _may(request, found, services, "registry:read")
    message = summary(found, await services.reporting.report(found), page, mine=True)
    return replace(message, visibility="private", replace=turn)
