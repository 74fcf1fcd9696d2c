"""Help: only what this person may run in this channel."""

from collections import defaultdict
from collections.abc import Sequence

from handlers.kit.command import Command, Commands, command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.words import join
from handlers.views import help as views
from services.model.errors import NotFound
from services.services import Services


@command("help", needs=None, examples=("help", "help deploy"))
async def help_(request: Request, topic: tuple[str, ...] = (), *, commands: Commands, services: Services) -> Message:
    """List what you can run here, or explain one command.

    Args:
        topic: A command, or the first word of several.
    """
    decide = services.policy.decide
    allowed = [
        entry for entry in commands if decide(request.person, request.place, entry.needs, changes=entry.changes).allowed
    ]
    if not topic:
        return _overview(allowed, request)
    name = " ".join(word.lower() for word in topic)
    # `deploy edge01 --help` is about `deploy`: words after a command's name don't matter.
    for words in (name.split()[:2], name.split()[:1]):
        if (topic_command := commands.get(" ".join(words))) and topic_command in allowed:
            return views.manual(_manual(topic_command, request))
    if inside := [entry for entry in allowed if entry in commands.under(name)]:
        return _overview(inside, request)
    near = tuple(entry for entry in commands.near(name.split()) if commands.get(entry) in allowed)
    raise NotFound("command", join(topic), near)


def _manual(topic: Command, request: Request) -> views.Manual:
    return views.Manual(
        request.line(topic.usage),
        topic.summary,
        topic.description,
        [(parameter.usage, parameter.help) for parameter in topic.parameters],
        [request.line(example) for example in topic.examples],
        topic.needs or "",
    )


def _overview(commands: Sequence[Command], request: Request) -> Message:
    groups: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in commands:
        groups[entry.group].append((request.line(entry.brief), entry.summary))
    example = next((entry.name for entry in commands if entry.name == "deploy"), commands[-1].name)
    return views.overview(groups, request.line(f"help {example}"))
