"""Help as people see it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.kit import blocks
from handlers.kit.language import phrase, t
from handlers.kit.message import Message
from handlers.kit.text import bold, code, escape

TITLE = phrase("What you can run here")


@dataclass(frozen=True)
class Manual:
    """The manual of one command, in plain text. `parameters` are usages and meanings; `needs` is a permission."""

    usage: str
    summary: str
    description: str
    parameters: Sequence[tuple[str, str]]
    examples: Sequence[str]
    needs: str


def overview(groups: Mapping[str, Sequence[tuple[str, str]]], example: str) -> Message:
    """Command lines with their summaries, by group, short enough for a phone. `example` shows one command's help."""
    sections = [
        f"{bold(t(title))}\n" + "\n".join(f"{code(line)} {escape(t(summary))}" for line, summary in lines)
        for title, lines in groups.items()
    ]
    foot = t("Options and examples: {example}", example=code(example))
    parts = (blocks.header(t(TITLE)), *map(blocks.section, sections), blocks.context(foot))
    return Message("\n".join([t(TITLE), *sections, foot]), parts)


def manual(about: Manual) -> Message:
    """The manual of one command."""
    usage, summary, description = escape(about.usage), escape(t(about.summary)), escape(t(about.description))
    sections = [blocks.section(part) for part in (f"*{usage}*\n{summary}", description) if part]
    if about.parameters:
        lines = [f"• {code(parameter)} {escape(t(meaning))}" for parameter, meaning in about.parameters]
        sections.append(blocks.section("\n".join(lines)))
    if about.examples:
        examples = blocks.preformatted("\n".join(about.examples))
        sections.append(blocks.rich(blocks.line(blocks.bit(t("Examples"), bold=True)), examples))
    needs = (
        t("Needs the permission {needs}.", needs=code(about.needs)) if about.needs else t("Every member may run this.")
    )
    return Message(f"{usage}: {summary}", (*sections, blocks.context(needs)))
