"""How a command is declared, parsed and answered."""

from handlers.kit.catalogue import Catalogue, Parsed
from handlers.kit.command import Arguments, Command, Commands, Parameter, command
from handlers.kit.message import Block, Field, Message, Modal
from handlers.kit.request import Request

__all__ = [
    "Arguments",
    "Block",
    "Catalogue",
    "Command",
    "Commands",
    "Field",
    "Message",
    "Modal",
    "Parameter",
    "Parsed",
    "Request",
    "command",
]
