"""What people say and see. A command is one function in a module here and one line below."""

from handlers import about, help  # noqa: A004 - the module is named for what people type
from handlers.kit.command import Command

COMMANDS: tuple[Command, ...] = (
    help.help_,
    about.ping,
    about.whoami,
)
