"""What one can say here: only what this person may run in this channel."""

from handlers.kit import blocks
from handlers.kit.command import Command, Commands, command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.text import code, escape
from handlers.kit.words import join
from services.model.errors import NotFound
from services.services import Services


@command("help", needs=None, examples=("help", "help deploy"))
async def help_(request: Request, topic: tuple[str, ...] = (), *, commands: Commands, services: Services) -> Message:
    """Show what you can say here, or all about one command.

    Args:
        topic: A command or the first word of several.
    """
    allowed = [each for each in commands if _may(each, request, services)]
    if not topic:
        return overview(request, allowed)
    name = " ".join(word.lower() for word in topic)
    # What follows a command's name does not change what it is about: `deploy edge01 --help`.
    for words in (name.split()[:2], name.split()[:1]):
        if (found := commands.get(" ".join(words))) and found in allowed:
            return manual(request, found)
    if inside := [each for each in allowed if each in commands.under(name)]:
        return overview(request, inside)
    near = tuple(each for each in commands.near(name.split()) if commands.get(each) in allowed)
    raise NotFound("command", join(topic), near)


def _may(each: Command, request: Request, services: Services) -> bool:
    return services.policy.decide(request.person, request.place, each.needs).allowed


def overview(request: Request, commands: list[Command]) -> Message:
    """A line for each command."""
    lines = [f"{code(request.line(each.brief))}\n{escape(each.summary)}" for each in commands]
    # Several short sections: one of all would be cut at 3,000 characters.
    groups = ["\n".join(lines[at : at + 6]) for at in range(0, len(lines), 6)]
    title = "What you can say here"
    example = next((each.name for each in commands if each.name == "deploy"), commands[-1].name)
    foot = f"All about one: {code(request.line(f'help {example}'))}. You see what you may run in this channel."
    return Message(
        f"{title}\n" + "\n".join(lines), (blocks.header(title), *map(blocks.section, groups), blocks.context(foot))
    )


def manual(request: Request, about: Command) -> Message:
    """All about one command."""
    parameters = [f"• {code(each.usage)} {escape(each.help)}" for each in about.parameters]
    examples = "\n".join(request.line(example) for example in about.examples)
    needs = f"Needs {code(about.needs)}." if about.needs else "Every member may say this."
    parts = [f"*{escape(request.line(about.usage))}*\n{escape(about.summary)}", escape(about.description)]
    sections = [blocks.section(part) for part in parts if part]
    if parameters:
        sections.append(blocks.section("\n".join(parameters)))
    if examples:
        sections.append(blocks.rich(blocks.line(blocks.bit("Examples", bold=True)), blocks.preformatted(examples)))
    return Message(f"{request.line(about.usage)}: {about.summary}", (*sections, blocks.context(needs)))
