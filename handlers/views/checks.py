"""What the preflight checks found at a site. Pure."""

from handlers.kit import blocks
from handlers.kit.message import Message
from handlers.kit.text import bold, escape
from handlers.views import findings
from handlers.views.operation import finding_block
from services.model.plan import Finding
from services.policy.sites import Site

MOST = 20
"""Findings with a block of their own; a message has 50 blocks."""


def report(kind: str, site: Site, name: str | None, found: tuple[Finding, ...]) -> Message:
    """What this kind's checks found: what is not well first, with how to fix it; what is well in one paragraph."""
    ordered = findings.ordered(found)
    trouble = [one for one in ordered if one.level != "ok"]
    well = [findings.render(one, kind) for one in ordered if one.level == "ok"]
    head = f"{bold(f'{name} at {site.name}' if name else site.name)}: {_verdict(found)}"
    shown = [blocks.section(head), *(finding_block(one, kind) for one in trouble[:MOST])]
    for start in range(0, len(well), 10):
        lines = [f"{one.icon}  {one.sentence}" for one in well[start : start + 10]]
        shown.append(blocks.section("\n".join(lines)))
    shown.append(
        blocks.context(f"{escape(site.environment)}  ·  {escape(site.acr_ref.name)} → {escape(site.cluster.name)}")
    )
    return Message(f"{site.name}: {_verdict(found)}", tuple(shown))


def _verdict(found: tuple[Finding, ...]) -> str:
    count = {level: sum(one.level == level for one in found) for level in ("blocker", "warning", "unknown", "ok")}
    if count["blocker"]:
        return f"{_many(count['blocker'], 'blocker')}, {_many(count['warning'], 'warning')}, {count['ok']} ok"
    if count["warning"] or count["unknown"]:
        unknown = f", {count['unknown']} could not be asked" if count["unknown"] else ""
        return f"ready, with {_many(count['warning'], 'warning')}{unknown}"
    return "ready"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
