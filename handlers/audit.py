"""The audit: who did what, from which plan, approved by whom."""

from handlers.kit.command import command
from handlers.kit.language import t
from handlers.kit.message import File, Message
from handlers.kit.moments import past
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.kit.words import join
from handlers.views import audit as views
from services.model.audit import AuditSelection
from services.model.errors import Invalid
from services.policy.sites import Site
from services.services import Services

PAGE = 15
"""Rows of one page."""
MOST_EXPORTED = 20_000
"""Rows of an export by Slack: some 15 MB, which Slack has to take within the client's time-out."""


@command(
    "audit",
    needs="audit:read",
    examples=(
        "audit",
        "audit --since 7d --by @bob",
        "audit --operation op-7k3q9xa",
        "audit --site berlin --since 2026-11-01 --export",
    ),
    group="Audit",
)
async def audit(
    request: Request,
    *,
    since: str | None = None,
    by: str = "",
    site: Site | None = None,
    operation: str = "",
    before: int | None = None,
    export: bool = False,
    services: Services,
) -> Message:
    """Show who did what, from which plan and approved by whom, the newest first.

    Rows that belong to no site, such as those of ping and watches, are shown to those who may read the audit of every
    site.

    Args:
        since: How long ago, such as 7d, a day such as 2026-11-30, or a time; in your time zone.
        by: Only what this person did: a name, a Slack id, or bot for what the bot did by itself.
        site: Only at this site.
        operation: Only about this operation, by its id.
        before: Only rows before this number.
        export: Send you all of these rows as a file of JSON Lines, each with its hash.
    """
    readable = permitted_sites(request, services, "audit:read", (site,) if site else None)
    everywhere = site is None and len(readable) == len(services.sites)
    selection = AuditSelection(
        since=past("since", since, request.now, request.person.tz) if since else None,
        by=by.removeprefix("@"),
        sites=None if everywhere else [each.name for each in readable],
        operation=operation,
    )
    if not export:
        entries = await services.audit.newest(selection, before=before, limit=PAGE + 1)
        typed = {"--since": since, "--by": by, "--site": site.name if site else "", "--operation": operation}
        turns = join(["audit", *(word for name, value in typed.items() if value for word in (name, value))])
        is_first = before is None
        return views.page(entries[:PAGE], selection, turns=turns, first=is_first, more=len(entries) > PAGE)
    rows = await services.audit.count(selection)
    if rows > MOST_EXPORTED:
        raise Invalid("export", "", "audit.too_many", {"rows": rows, "most": MOST_EXPORTED})
    lines = [f"{line}\n" async for line in services.audit.lines(selection)]
    if not lines:
        return views.nothing(selection)
    name = f"audit-{request.now:%Y%m%dT%H%M%SZ}.jsonl"
    return views.exported(selection, len(lines), File(name, t("Audit as JSON Lines"), "".join(lines)))
