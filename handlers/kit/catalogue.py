"""All commands, and how typed words become one of them with its arguments."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handlers.kit import grammar
from handlers.kit.command import Command, Parameter
from handlers.kit.nearest import nearest
from services.model.errors import NotFound
from services.policy.sites import Site

_FEW = 10
"""An answer lists all names if there are no more than this."""
_CHINESE = {
    "帮助": "help",
    "检查": "check",
    "部署": "deploy",
    "列表": "list",
    "列出": "list",
    "查看": "show",
    "显示": "show",
    "操作": "operation",
    "批准": "approve",
    "同意": "approve",
    "拒绝": "reject",
    "取消": "cancel",
    "重试": "retry",
    "监视": "watch",
    "订阅": "watch",
    "取消监视": "unwatch",
    "取消订阅": "unwatch",
    "监视列表": "watches",
    "摘要": "summary",
    "告警": "alert",
    "警报": "alert",
    "确认": "acknowledge",
    "暂停": "snooze",
    "我是谁": "whoami",
    "审计": "audit",
}
"""Command words in Chinese, for the part of the audience that uses them."""


@dataclass(frozen=True)
class Parsed:
    """A command with the arguments that were typed, and the required parameters that were not."""

    command: Command
    arguments: Mapping[str, Any]
    missing: tuple[Parameter, ...]

    @property
    def site(self) -> Site | None:
        """The site that the command is about, if it names one."""
        name = self.command.site_parameter
        return self.arguments.get(name) if name else None


class Catalogue:
    """The commands, looked up by their words. Sites are passed to `parse`, because they change with their file."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands = {command.name: command for command in commands}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    @cached_property
    def nouns(self) -> frozenset[str]:
        """First words of the commands that have two words."""
        return frozenset(name.split()[0] for name in self._commands if " " in name)

    def with_help(self, words: Sequence[str]) -> Sequence[str]:
        """The words, or a `help` command in place of an empty line, a noun alone, `--help` or a last `help`."""
        if not words:
            return ("help",)
        if len(words) == 1 and words[0].lower() in self.nouns:
            return ("help", *words)
        if len(words) > 1 and _CHINESE.get(words[-1], words[-1].lower()) == "help":
            # `deploy help`, where a name could stand: no connected registry has so short a name.
            name = " ".join(words[:-1]).lower()
            if name in self._commands or name in self.nouns:
                return ("help", *words[:-1])
        if "--help" in words or "-h" in words:
            return ("help", *[word for word in words if not word.startswith("-")][:2])
        return words

    def find(self, words: Sequence[str]) -> tuple[Command, tuple[str, ...]]:
        """The command that the words begin with, and the words after it. Raises `NotFound`."""
        lower = [_CHINESE.get(word, word.lower()) for word in words[:2]]
        for length in (2, 1):
            if command := self._commands.get(" ".join(lower[:length])):
                return command, tuple(words[length:])
        near = self.near(lower)
        # Both words belong to the name when they resemble both words of the nearest command, in either order.
        in_order = {" ".join(sorted(name.split())) for name in near[:1] if " " in name}
        two = bool(lower) and (lower[0] in self.nouns or nearest(" ".join(sorted(lower)), in_order, cutoff=0.75))
        raise NotFound("command", " ".join(words[: 2 if two else 1]), near)

    def get(self, name: str) -> Command | None:
        """The command with this name."""
        return self._commands.get(name)

    def under(self, noun: str) -> tuple[Command, ...]:
        """Commands whose first word is `noun`."""
        return tuple(command for name, command in self._commands.items() if name.split()[0] == noun)

    def near(self, words: Sequence[str]) -> tuple[str, ...]:
        """Names of commands that somebody may have meant."""
        if not words:
            return ()
        if words[0] in self.nouns:
            inside = [command.name for command in self.under(words[0])]
            return nearest(" ".join(words[:2]), inside) or tuple(inside)
        one_word = [name for name in self._commands if " " not in name]
        two_words = [name for name in self._commands if " " in name]
        typed, reverse = " ".join(words[:2]), " ".join(reversed(words[:2]))
        near = (
            *nearest(typed, two_words, cutoff=0.75),
            *nearest(words[0], one_word, cutoff=0.65),
            # `shwo operation`: the verb first.
            *nearest(reverse, two_words, cutoff=0.85),
        )
        if near:
            return near[:3]
        # `approve op-1`: the noun is missing.
        verbs = nearest(words[0], {name.split()[1] for name in two_words}, cutoff=0.75)[:1]
        return tuple(name for name in two_words if name.split()[1] in verbs)

    def parse(self, command: Command, words: Sequence[str], sites: Mapping[str, Site]) -> Parsed:
        """Parse the arguments of a command. Raises `NotFound` (an option, a site) or `Invalid`."""
        arguments = grammar.read(command, words)

        def site(name: str) -> Site:
            if name.lower() in sites:
                return sites[name.lower()]
            raise NotFound("site", name, nearest(name, sites), tuple(sites) if len(sites) <= _FEW else ())

        for parameter in command.parameters:
            typed = arguments.get(parameter.name)
            if parameter.is_site and typed is not None:
                arguments[parameter.name] = site(typed) if isinstance(typed, str) else tuple(map(site, typed))
        missing = (one for one in command.parameters if one.required and one.name not in arguments)
        return Parsed(command, arguments, tuple(missing))
