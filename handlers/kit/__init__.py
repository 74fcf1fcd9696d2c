"""The kit of the floor that people talk to: how a command is declared, read and answered."""

from handlers.kit.catalogue import Catalogue, Parsed
from handlers.kit.command import Command, Commands, Given, Parameter, command
from handlers.kit.message import Block, Field, Message, Modal
from handlers.kit.request import Request

__all__ = [
    "Block",
    "Catalogue",
    "Command",
    "Commands",
    "Field",
    "Given",
    "Message",
    "Modal",
    "Parameter",
    "Parsed",
    "Request",
    "command",
]
