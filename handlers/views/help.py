"""Help as people see it. Pure."""

from collections import defaultdict
from collections.abc import Sequence

from handlers.kit import blocks
from handlers.kit.command import Command
from handlers.kit.message import Message
from handlers.kit.text import bold, code, escape

TITLE = "What you can run here"


def overview(commands: Sequence[Command], slash: str) -> Message:
    """Groups of commands, a line for each: short enough for a phone."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for each in commands:
        groups[each.group].append(f"{code(f'{slash} {each.brief}')} {escape(each.summary)}")
    sections = [f"{bold(group)}\n" + "\n".join(lines) for group, lines in groups.items()]
    example = next((each.name for each in commands if each.name == "deploy"), commands[-1].name)
    foot = f"Options and examples: {code(f'{slash} help {example}')}"
    shown = (blocks.header(TITLE), *map(blocks.section, sections), blocks.context(foot))
    return Message("\n".join([TITLE, *sections, foot]), shown)


def manual(command: Command, slash: str) -> Message:
    """All about one command."""
    usage = escape(f"{slash} {command.usage}")
    summary, description = escape(command.summary), escape(command.description)
    sections = [blocks.section(part) for part in (f"*{usage}*\n{summary}", description) if part]
    if command.parameters:
        lines = [f"• {code(parameter.usage)} {escape(parameter.help)}" for parameter in command.parameters]
        sections.append(blocks.section("\n".join(lines)))
    if command.examples:
        examples = "\n".join(f"{slash} {example}" for example in command.examples)
        sections.append(blocks.rich(blocks.line(blocks.bit("Examples", bold=True)), blocks.preformatted(examples)))
    needs = f"Needs the permission {code(command.needs)}." if command.needs else "Every member may run this."
    return Message(f"{usage}: {summary}", (*sections, blocks.context(needs)))
