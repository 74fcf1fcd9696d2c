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
        each for each in commands if decide(request.person, request.place, each.needs, changes=each.changes).allowed
    ]
    if not topic:
        return _overview(allowed, request)
    name = " ".join(word.lower() for word in topic)
    # Words behind a command's name don't change what it is about: `deploy edge01 --help`.
    for words in (name.split()[:2], name.split()[:1]):
        if (named := commands.get(" ".join(words))) and named in allowed:
            parameters = [(parameter.usage, parameter.help) for parameter in named.parameters]
            usage, examples = request.line(named.usage), [request.line(example) for example in named.examples]
            return views.manual(
                views.Manual(usage, named.summary, named.description, parameters, examples, named.needs or "")
            )
    if inside := [each for each in allowed if each in commands.under(name)]:
        return _overview(inside, request)
    near = tuple(each for each in commands.near(name.split()) if commands.get(each) in allowed)
    raise NotFound("command", join(topic), near)


def _overview(commands: Sequence[Command], request: Request) -> Message:
    groups: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in commands:
        groups[entry.group].append((request.line(entry.brief), entry.summary))
    example = next((entry.name for entry in commands if entry.name == "deploy"), commands[-1].name)
    return views.overview(groups, request.line(f"help {example}"))
