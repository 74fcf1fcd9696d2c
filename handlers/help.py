"""Help: only what this person may run in this channel."""

from handlers.kit.command import Commands, command
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
        return views.overview(allowed, request.slash)
    name = " ".join(word.lower() for word in topic)
    # Words behind a command's name don't change what it is about: `deploy edge01 --help`.
    for words in (name.split()[:2], name.split()[:1]):
        if (named := commands.get(" ".join(words))) and named in allowed:
            return views.manual(named, request.slash)
    if inside := [each for each in allowed if each in commands.under(name)]:
        return views.overview(inside, request.slash)
    near = tuple(each for each in commands.near(name.split()) if commands.get(each) in allowed)
    raise NotFound("command", join(topic), near)
