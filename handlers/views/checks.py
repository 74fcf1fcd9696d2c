"""The result of the preflight checks at a site. Pure."""

from collections import Counter

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import Message
from handlers.kit.text import bold, count, escape, labelled
from handlers.views import findings
from handlers.views.operation import finding_block
from services.model.plan import Finding
from services.operations.checks import UNPROVEN
from services.policy.sites import Site

MOST = 20
"""Findings that get their own block; a message has 50 blocks."""


def report(kind: str, site: Site, name: str | None, results: tuple[Finding, ...]) -> Message:
    """What this kind's checks found: problems first, with how to fix each; then everything that is fine, in brief."""
    ordered = findings.ordered(results)
    problems = [finding for finding in ordered if finding.level != "ok"]
    fine = [findings.render(finding, kind) for finding in ordered if finding.level == "ok"]
    head = labelled(bold(t("{name} at {site}", name=name, site=site.name) if name else site.name), _verdict(results))
    sections = [blocks.section(head), *(finding_block(finding, kind) for finding in problems[:MOST])]
    for start in range(0, len(fine), 10):
        lines = [f"{text.icon}  {text.sentence}" for text in fine[start : start + 10]]
        sections.append(blocks.section("\n".join(lines)))
    sections.append(
        blocks.context(f"{escape(site.environment)}  ·  {escape(site.acr_ref.name)} → {escape(site.cluster.name)}")
    )
    return Message(labelled(site.name, _verdict(results)), tuple(sections))


def _verdict(results: tuple[Finding, ...]) -> str:
    levels = Counter(finding.level for finding in results if finding.code != UNPROVEN)
    scope = t(", as far as Azure shows") if any(finding.code == UNPROVEN for finding in results) else ""
    if levels["blocker"]:
        return t(
            "{blockers}, {warnings}, {ok} ok",
            blockers=count(levels["blocker"], "blocker"),
            warnings=count(levels["warning"], "warning"),
            ok=levels["ok"],
        )
    if levels["warning"] or levels["unknown"]:
        unknown = t(", {unknown} could not be checked", unknown=levels["unknown"]) if levels["unknown"] else ""
        return t(
            "ready, with {warnings}{unknown}{scope}",
            warnings=count(levels["warning"], "warning"),
            unknown=unknown,
            scope=scope,
        )
    return t("ready") + scope
