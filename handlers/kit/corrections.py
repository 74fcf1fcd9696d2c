"""Corrections of a refused line: several guesses, of which only one that would run is offered."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice

from handlers.kit.catalogue import Catalogue
from handlers.kit.command import Command, Commands
from handlers.kit.intended_values import INTENDED
from handlers.kit.nearest import nearest
from handlers.kit.words import join
from services.model.errors import DomainError, Invalid, NotFound
from services.policy.sites import Site

Words = tuple[str, ...]
_MOST = 12
"""Guesses for one line; each costs a parse."""
_ROUNDS = 3
_FILLERS = frozenset({"to", "at", "on", "in", "for", "from", "into", "site", "please", "the", "named", "called"})
_SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "status": ("list",),
    "state": ("list",),
    "health": ("list",),
    "ls": ("list",),
    "get": ("show", "list"),
    "describe": ("show",),
    "info": ("show",),
    "logs": ("history", "show", "list"),
    "log": ("history", "show", "list"),
    "install": ("deploy",),
    "create": ("create", "deploy"),
    "add": ("deploy",),
    "delete": ("delete", "remove"),
    "rm": ("remove", "delete"),
    "destroy": ("remove", "delete"),
    "uninstall": ("remove", "delete"),
    "preflight": ("check",),
    "validate": ("check",),
    "test": ("check",),
    "operations": ("operation list",),
    "ops": ("operation list",),
    "op": ("operation list",),
    "jobs": ("operation list",),
    "alerts": ("alert list",),
    "incidents": ("alert list",),
    "ack": ("alert acknowledge",),
    "mute": ("alert snooze",),
    "silence": ("alert snooze",),
    "subscribe": ("watch",),
    "unsubscribe": ("unwatch",),
    "me": ("whoami",),
    "who": ("whoami",),
    "version": ("ping",),
    "hello": ("help",),
    "hi": ("help",),
    "commands": ("help",),
    "?": ("help",),
}
"""Other tools' words for our commands; those that don't exist (yet) are skipped."""
_NOUNS: Mapping[str, str] = {"op": "operation", "ops": "operation", "operations": "operation", "alerts": "alert"}


_AZURE_NOUNS: tuple[tuple[Words, Words], ...] = (
    (("acr", "connected-registry"), ()),
    (("connected-registry",), ()),
    (("k8s-extension",), ("extension",)),
    (("connectedk8s",), ("cluster",)),
    (("acr", "token"), ("token",)),
)
"""Groups of the Azure CLI, and the nouns of our commands that are the same."""
_OF_THE_SITE = frozenset({"-r", "--registry", "-g", "--resource-group"})


def correction(
    typed: Words,
    error: DomainError,
    command: Command | None,
    *,
    catalogue: Catalogue,
    sites: Mapping[str, Site],
    permitted: Callable[[Command | None, Site | None], bool],
    slash: str,
    rounds: int = _ROUNDS,
) -> str:
    """The corrected line, without the slash word; empty when no guess would run.

    Each guess is parsed and checked against the policy before it is offered. A guess with another slip is corrected
    in turn.

    Args:
        typed: The words of the line.
        error: Why the line was refused.
        command: The command that the line names, if any.
        catalogue: All commands.
        sites: All sites, by name.
        permitted: Whether the person may run a command (None: any command) at a site (None: at any site).
        slash: The slash command, which may have been pasted a second time.
        rounds: How many slips to correct one after another.
    """
    if not isinstance(error, NotFound | Invalid) or not typed:
        return ""
    names = [name for name, site in sites.items() if permitted(command, site)]
    guesses = _guesses(typed, error, command, catalogue, names)
    if len(typed) == 1 and " " in typed[0]:
        # The whole line stands in quotes.
        guesses = chain([[word for word in typed[0].split() if word != slash]], guesses)
    if slash in typed[1:]:
        # Two lines were pasted as one.
        end = typed.index(slash, 1)
        guesses = chain([[*typed[: end - 1], typed[end - 1].rstrip(";,")]], guesses)
    slips: list[tuple[Words, Command | None, DomainError]] = []
    for guess in islice((tuple(guess) for guess in guesses if tuple(guess) != typed), _MOST):
        candidate: Command | None = None
        try:
            candidate, arguments = catalogue.find(guess)
            parsed = catalogue.parse(candidate, arguments, sites)
        except (NotFound, Invalid) as slip:
            slips.append((guess, candidate, slip))
            continue
        if permitted(candidate, parsed.site) and (not parsed.missing or candidate.modal):
            return join(guess)
    is_unknown = isinstance(error, NotFound) and error.kind == "command" and rounds == _ROUNDS
    last_resort = "help" if is_unknown and permitted(catalogue.get("help"), None) else ""
    if rounds == 1:
        return last_resort
    again = partial(correction, catalogue=catalogue, sites=sites, permitted=permitted, slash=slash, rounds=rounds - 1)
    return next((line for guess, candidate, slip in slips if (line := again(guess, slip, candidate))), last_resort)


def _guesses(
    typed: Words, error: DomainError, command: Command | None, commands: Commands, sites: Collection[str]
) -> Iterator[Sequence[str]]:
    match error:
        case NotFound(kind="command"):
            yield from _commands(typed, error, commands, sites)
        case NotFound(kind="option") if command:
            at = next((at for at, word in enumerate(typed) if word.partition("=")[0] == error.name), None)
            if at is None:
                return
            yield from _options(typed, at, error, command)
        case NotFound():
            yield from (_replaced(typed, error.name, [name]) for name in error.near)
        case Invalid(rule="extra") if command:
            yield from _extra(typed, error, command, sites)
        case Invalid():
            fix = INTENDED.get(error.rule) or INTENDED.get(f"{error.rule} of {error.field_name}")
            if values := fix(error.value) if fix else ():
                yield _replaced(typed, error.value, values, f"--{error.field_name.replace('_', '-')}")
            yield from (_replaced(typed, error.value, [name]) for name in error.facts.get("near", ()))


def _options(typed: Words, at: int, error: NotFound, command: Command) -> Iterator[Sequence[str]]:
    """The line with its unknown option `typed[at]` replaced, or left out."""
    name, equals, value = typed[at].partition("=")
    before, behind = typed[:at], typed[at + 1 :]
    if name.lower() == "--dry-run":
        # Of a command that writes nothing anyway.
        yield [*before, *behind]
    if behind and command.parameter(f"{name}-{behind[0]}".lower()):
        # `--dry run`
        yield [*before, f"{name}-{behind[0]}".lower(), *behind[1:]]
    if re.fullmatch(r"-[a-z]", name):
        required_first = sorted(command.parameters, key=lambda parameter: not parameter.required)
        names = [parameter.name.replace("_", "-") for parameter in required_first]
        yield from ([*before, f"--{long}{equals}{value}", *behind] for long in names if long.startswith(name[1]))
    for near in error.near:
        yield [*before, near + equals + value, *behind]


def _replaced(typed: Words, wrong: str, values: Sequence[str], option: str = "") -> Words:
    """The line with the value `wrong` replaced; further values repeat the option."""
    words: list[str] = []
    for word in typed:
        name, equals, value = word.partition("=")
        if word == wrong:
            words.append(values[0])
        elif equals and name.startswith("-") and value == wrong:
            words.append(f"{name}={values[0]}")
        else:
            words.append(word)
            continue
        for further in values[1:]:
            words += [option, further]
    return tuple(words)


def _commands(typed: Words, error: NotFound, commands: Commands, sites: Collection[str]) -> Iterator[Sequence[str]]:
    wrong = error.name.split()
    starts = [at for at in range(len(typed)) if [*typed[at : at + len(wrong)]] == wrong]
    before, behind = (typed[: starts[0]], typed[starts[0] + len(wrong) :]) if starts else ((), typed[1:])
    first = typed[0].lower()
    yield from _of_azure(typed)
    yield from _verbs(typed, commands)
    if first in _NOUNS and len(typed) > 1:
        yield [_NOUNS[first], *typed[1:]]
    for noun in dict.fromkeys(command.name.split()[0] for command in commands if " " in command.name):
        if len(first) > 1 and noun.startswith(first):
            yield [noun, *typed[1:]]
    # Another tool's word counts for more than similar letters.
    for name in _SYNONYMS.get(first, ()):
        yield [*name.split(), *typed[1:]]
    for name in error.near:
        yield [*before, *name.split(), *behind]
    named = [word for word in typed if word.lower() in sites]
    others = [word for word in typed if word.lower() not in sites and word.lower() not in _FILLERS]
    if len(named) == 1 and len(others) == 1 and not (others[0].startswith("-") or commands.get(others[0].lower())):
        yield ["show", others[0], "--site", named[0].lower()]
    elif len(named) == len(typed) == 1:
        yield ["check", named[0].lower()]


def _verbs(typed: Words, commands: Commands) -> Iterator[Sequence[str]]:
    """The line with its verb in front (`berlin check`), or with the missing one (`extension edge01`, `op-1`)."""
    first = typed[0].lower()
    for at, word in islice(enumerate(typed), 1, 3):
        names = [word.lower(), *_SYNONYMS.get(word.lower(), ())]
        yield from ([*name.split(), *typed[:at], *typed[at + 1 :]] for name in names if commands.get(name))
    verbs = [command.name.split()[1] for command in commands.under(first) if " " in command.name]
    if "show" in verbs and len(typed) > 1 and not nearest(typed[1].lower(), verbs, cutoff=0.65):
        yield [first, "show", *typed[1:]]
    if len(typed) == 1 and re.fullmatch(r"op-\w+", first):
        yield ["operation", "show", first]


def _of_azure(typed: Words) -> Iterator[Sequence[str]]:
    """A line of the Azure CLI as one of ours: its registry and resource group are those of a site."""
    line = [word for at, word in enumerate(typed) if not {word, *typed[at - 1 : at]} & _OF_THE_SITE]
    line = line[line[:1] == ["az"] :]
    for prefix, noun in _AZURE_NOUNS:
        if tuple(line[: len(prefix)]) == prefix:
            yield [*noun, *line[len(prefix) :]]
            return
    if typed[0] == "az":
        yield line


def _extra(typed: Words, error: Invalid, command: Command, sites: Collection[str]) -> Iterator[Sequence[str]]:
    extra: Words = error.facts.get("words", ())
    name_words = len(command.name.split())
    option = next((one.option for one in command.parameters if one.is_site and not one.positional), None)
    has_site = option is None or any(word.partition("=")[0].lower() == option for word in typed)
    # `site=berlin`: the dashes are missing.
    dashed = [f"--{word}" if "=" in word and command.parameter(word.partition("=")[0]) else word for word in typed]
    if dashed != list(typed):
        yield dashed
    # `to berlin`, or just a site's name: the site to go to.
    arguments = [word for word in typed[name_words:] if word.lower() not in _FILLERS]
    named = [word for word in arguments if word.lower() in sites]
    if option and not has_site and len(named) == 1:
        yield [*typed[:name_words], *(word for word in arguments if word != named[0]), option, named[0].lower()]
    if len(arguments) < len(typed) - name_words:
        yield [*typed[:name_words], *arguments]
    # Words after an option's value: more values, or a value with spaces and without quotes.
    at = next((at for at in range(2, len(typed)) if typed[at : at + len(extra)] == extra), 0)
    before = command.parameter(typed[at - 2].lower()) if at and typed[at - 2].startswith("--") else None
    if before is None or before.is_flag or before.is_site or before.choices:
        return
    values = [typed[at - 1], *extra]
    repeated = [word for value in values for word in (before.option, value)]
    joined = repeated if before.is_repeated else [before.option, " ".join(values)]
    yield [*typed[: at - 2], *joined, *typed[at + len(extra) :]]
