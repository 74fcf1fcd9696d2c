"""The site file and the access file: read with line numbers, checked as a whole, reloaded when they change.

A changed file that has problems leaves the previous one in force; the problems and their lines are logged and kept.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, get_args

import structlog
import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import SafeConstructor

from bot.problems import Broken, Problem, did_you_mean, sentence
from services.operations.procedures import PROCEDURES
from services.policy.access import EVERYONE, PERMISSIONS, ApprovalRule, Denial, Grant, Policy
from services.policy.sites import Site

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]
LARGEST = 1024 * 1024
"""Bytes of a file."""
MOST_NODES = 100_000
"""Values in a file with its aliases expanded: a few bytes of nested aliases could otherwise fill the memory."""
_log = structlog.get_logger("configuration")


@dataclass(frozen=True)
class Files:
    """The contents of both files."""

    sites: Mapping[str, Site]
    policy: Policy


class FileConfiguration:
    """The configuration in force; implements `services.ports.Configuration`."""

    def __init__(self, sites: Path, access: Path, kinds: Collection[str] = PROCEDURES.kinds) -> None:
        """`kinds` are the kinds of operation that approval rules may name. Raises `Broken` for unusable files."""
        self._kinds = kinds
        self._paths = (sites, access)
        self._contents = _contents(self._paths)
        self._files = load(sites, access, kinds)
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with the files on disk; empty when they are in force."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites, by name."""
        return self._files.sites

    @property
    def policy(self) -> Policy:
        """Who may do what."""
        return self._files.policy

    def reload(self) -> bool:
        """Read the files again if they changed; returns whether new contents are in force."""
        contents = _contents(self._paths)
        if contents == self._contents:
            return False
        self._contents = contents
        try:
            self._files = load(*self._paths, self._kinds)
        except Broken as error:
            self.problems = error.problems
            _log.error("configuration_refused", problems=[str(problem) for problem in error.problems])
            return False
        self.problems = ()
        _log.info("configuration_loaded", sites=len(self.sites), grants=len(self.policy.grants))
        return True

    async def watch(self, interval: timedelta) -> None:
        """Reload for ever."""
        while True:
            await asyncio.sleep(interval.total_seconds())
            try:
                await asyncio.to_thread(self.reload)
            except Exception:  # noqa: BLE001 - after any failure the files in force stay in force
                _log.exception("configuration_not_read")


def _contents(paths: Iterable[Path]) -> tuple[bytes | str, ...]:
    """The bytes of each file, or the reason why it can't be read."""
    return tuple(_content(path) for path in paths)


def _content(path: Path) -> bytes | str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        return error.strerror or type(error).__name__
    return content if len(content) <= LARGEST else f"it is larger than {LARGEST // 1024} KiB"


def load(sites: Path, access: Path, kinds: Collection[str] = PROCEDURES.kinds) -> Files:
    """Read both files; raises `Broken` with the problems of both."""
    problems: list[Problem] = []
    site_file = _read(sites, problems)
    access_file = _read(access, problems)
    sites_by_name = _sites(site_file, problems) if site_file else {}
    policy = access_file.validated(Policy, (), access_file.value, problems) if access_file else None
    if access_file and policy:
        rules = _Rules(access_file, policy, sites_by_name, kinds)
        # Without usable sites the names of sites can't be checked.
        if sites_by_name:
            problems += rules.unknown_sites()
        problems += rules.unknown_people_and_permissions()
        problems += rules.useless_approvals()
    if problems or policy is None:
        raise Broken(problems)
    return Files(sites_by_name, policy)


# --- YAML with lines ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    path: Path
    value: dict[str, Any]
    lines: Mapping[Path_, int]

    def problem(self, at: Path_, text: str) -> Problem:
        """A problem at a place in the file, or at the nearest one above that has a line."""
        while at and at not in self.lines:
            at = at[:-1]
        return Problem(f"{self.path}:{self.lines.get(at, 1)}", text)

    def validated(self, model: type[Model], at: Path_, value: Any, problems: list[Problem]) -> Model | None:
        """A place's value as a model; None when it has problems."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            # pydantic also calls a list too short when its only entry is wrong.
            inner = {detail["loc"][:-1] for detail in errors}
            problems += [
                self.problem((*at, *detail["loc"]), _sentence(model, detail))
                for detail in errors
                if detail["type"] != "too_short" or detail["loc"] not in inner
            ]
            return None

    def unknown(self, at: Path_, names: Iterable[str], valid: Iterable[str], noun: str) -> Iterator[Problem]:
        """The names of a list that are not valid."""
        valid = set(valid)
        for index, name in enumerate(names):
            if name not in valid:
                yield self.problem((*at, index), f"there is no {noun} `{name}`{did_you_mean(name, valid)}")


def _read(path: Path, problems: list[Problem]) -> _File | None:
    content = _content(path)
    if isinstance(content, str):
        problems.append(Problem(str(path), f"can't be read: {content}"))
        return None
    try:
        node = yaml.compose(content.decode(), yaml.SafeLoader)
        if node is not None and _size(node, {}) > MOST_NODES:
            raise ValueError("its aliases (*name) make it too large")  # noqa: TRY301 - reported as PyYAML's errors are
        value = SafeConstructor().construct_document(node) if node is not None else None
    except Exception as error:  # noqa: BLE001 - PyYAML raises whatever its conversions do, even AttributeError
        problems.append(_unreadable(path, content, error))
        return None
    if node is None:
        # Most likely half written. Without any grants, everybody would be locked out.
        problems.append(Problem(f"{path}:1", "the file is empty"))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(f"{path}:1", "the file has to be a mapping"))
        return None
    lines: dict[Path_, int] = {}
    for at, line, twice in _walk(node, ()):
        if twice:
            problems.append(Problem(f"{path}:{line}", f"the key `{at[-1]}` appears twice"))
        lines[at] = line
    return _File(path, value, lines)


def _unreadable(path: Path, content: bytes, error: Exception) -> Problem:
    match error:
        case yaml.MarkedYAMLError():
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            return Problem(f"{path}:{line}", f"this is not YAML: {error.problem}")
        case yaml.reader.ReaderError():
            line = content.decode()[: error.position].count("\n") + 1
            return Problem(f"{path}:{line}", "contains a character that YAML does not allow")
        case UnicodeDecodeError():
            return Problem(str(path), "can't be read: it is not UTF-8")
        case RecursionError():
            return Problem(str(path), "its values are nested too deeply")
    reason = str(error).splitlines()[0] or type(error).__name__
    return Problem(str(path), f"contains a value that can't be read: {reason}")


def _size(node: yaml.Node, sizes: dict[yaml.Node, int]) -> int:
    """The number of nodes with every alias expanded. Raises `RecursionError` for an alias that contains itself."""
    if node in sizes:
        if not sizes[node]:
            raise RecursionError
        return sizes[node]
    sizes[node] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    sizes[node] = 1 + sum(_size(part, sizes) for part in inner)
    return sizes[node]


def _walk(node: yaml.Node | None, at: Path_) -> Iterator[tuple[Path_, int, bool]]:
    """Each place with its line number, and whether it repeats an earlier key."""
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1, key.value in keys
            keys.add(key.value)
            yield from _walk(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1, False
            yield from _walk(value, (*at, index))


# --- values ---------------------------------------------------------------------------------------------------------


def _sites(file: _File, problems: list[Problem]) -> dict[str, Site]:
    problems += [file.problem((key,), _no_key(key, ["sites"])) for key in file.value if key != "sites"]
    entries = file.value.get("sites")
    if not isinstance(entries, dict) or not entries:
        problems.append(file.problem(("sites",), "`sites` has to map at least one name to a site"))
        return {}
    sites_by_name: dict[str, Site] = {}
    for name, values in entries.items():
        at = ("sites", name)
        if not isinstance(values, dict):
            problems.append(file.problem(at, f"the site `{name}` has to be a mapping"))
        elif site := file.validated(Site, at, {"name": name, **values}, problems):
            sites_by_name[site.name] = site
    return sites_by_name


def _sentence(model: type[BaseModel], error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            for part in error["loc"][:-1]:
                if isinstance(part, str) and part in model.model_fields:
                    model = next(_models(model.model_fields[part].annotation), model)
            return _no_key(str(error["loc"][-1]), model.model_fields)
        case "value_error":
            return f"`{place}`: {sentence(error)}" if place else sentence(error)
    return f"`{place}` {sentence(error)}"


def _no_key(key: str, keys: Iterable[str]) -> str:
    return f"there is no key `{key}`{did_you_mean(key, keys)}"


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a field's annotation, such as `Site` in `tuple[Site, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


# --- references -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rules:
    """The rules of the access file, beside what they name."""

    file: _File
    policy: Policy
    sites: Mapping[str, Site]
    kinds: Collection[str]

    def unknown_sites(self) -> Iterator[Problem]:
        """Names of sites and environments."""
        environments = {site.environment for site in self.sites.values()}
        rules: tuple[tuple[str, Sequence[Grant | Denial | ApprovalRule]], ...] = (
            ("grants", self.policy.grants),
            ("denials", self.policy.denials),
            ("approvals", self.policy.approvals),
        )
        for key, entries in rules:
            for index, rule in enumerate(entries):
                yield from self.file.unknown((key, index, "sites"), rule.sites, self.sites, "site")
                at: Path_ = (key, index, "environments")
                yield from self.file.unknown(at, rule.environments, environments, "site in the environment")

    def unknown_people_and_permissions(self) -> Iterator[Problem]:
        """Names of people and groups, and permissions."""
        policy, file = self.policy, self.file

        def unknown_people(at: Path_, entries: Sequence[str], names: set[str]) -> Iterator[Problem]:
            ids = {entry for entry in entries if policy.group_of(entry) or policy.person_of(entry)}
            return file.unknown(at, entries, names | ids, "person or group")

        names = {*policy.people, *policy.groups}
        for index, grant in enumerate(policy.grants):
            yield from unknown_people(("grants", index, "to"), grant.to, names | {EVERYONE})
        for index, denial in enumerate(policy.denials):
            yield from unknown_people(("denials", index, "to"), denial.to, names | {EVERYONE})
            yield from file.unknown(("denials", index, "permissions"), denial.permissions, PERMISSIONS, "permission")
        for index, approval in enumerate(policy.approvals):
            yield from unknown_people(("approvals", index, "approvers"), approval.approvers, names)

    def useless_approvals(self) -> Iterator[Problem]:
        """Approval rules that protect nothing, although their author relies on them, or that nobody can satisfy."""
        file, policy, sites, kinds = self.file, self.policy, self.sites, self.kinds
        environments = {site.environment for site in sites.values()}
        for index, rule in enumerate(policy.approvals):
            at: Path_ = ("approvals", index)
            if rule.remind_before and rule.remind_before >= rule.expires_after:
                yield file.problem((*at, "remind_before"), "has to be less than expires_after")
            unknown = [name for name in rule.commands if name not in kinds]
            for name in unknown:
                hint = did_you_mean(name, kinds) or f"; the kinds are {', '.join(f'`{kind}`' for kind in kinds)}"
                where = (*at, "commands", rule.commands.index(name))
                text = f"`{name}` is not a kind of operation, so it would never wait for approval{hint}"
                yield file.problem(where, text)
            if unknown or not ({*rule.sites} <= {*sites} and {*rule.environments} <= environments):
                continue  # an unknown name is reported already
            deciding = policy.deciding_for(rule, kinds, sites.values())
            if sites and not deciding:
                yield file.problem(
                    at, f"the rule `{rule.name}` never applies: none of its sites is in its environments"
                )
            elif sites and all(decider is not rule for decider in deciding):
                earlier = ", ".join(f"`{decider.name}`" for decider in deciding)
                text = f"the rule `{rule.name}` never applies: {earlier} above it always takes precedence"
                yield file.problem(at, text)
        if policy.approvals and not any("operation:approve" in grant.permissions for grant in policy.grants):
            yield file.problem(("approvals",), "nobody could approve: no grant gives the role approver or admin")
