"""The site file and the access file: read with line numbers, checked as a whole, taken anew when they change.

A file that became wrong leaves the old one in force; what is wrong with it, and on which line, is logged and kept.
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

from bot.problems import Broken, Problem, sentence
from handlers.kit.nearest import nearest
from services.operations.procedures import PROCEDURES
from services.policy.access import EVERYONE, PERMISSIONS, ApprovalRule, Denial, Grant, Policy
from services.policy.sites import Site

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]
LARGEST = 1024 * 1024
"""Bytes of a file."""
MOST_NODES = 100_000
"""Values in a file, aliases written out: a few bytes of nested aliases would fill the memory otherwise."""
_log = structlog.get_logger("configuration")


@dataclass(frozen=True)
class Files:
    """Both files as they are in force."""

    sites: Mapping[str, Site]
    policy: Policy


class Configuration:
    """The configuration in force; implements `services.services.Configuration`."""

    def __init__(self, sites: Path, access: Path, kinds: Collection[str] = PROCEDURES.kinds) -> None:
        """`kinds` are those of operations, which approval rules name. Raises `Broken` when the files can't be used."""
        self._kinds = kinds
        self._paths = (sites, access)
        self._contents = _contents(self._paths)
        self._files = load(sites, access, kinds)
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with the files as they lie there; empty when they are in force."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites, by name."""
        return self._files.sites

    @property
    def policy(self) -> Policy:
        """Who may do what."""
        return self._files.policy

    def reload(self) -> bool:
        """Take the files anew if they changed; whether what is in force changed."""
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
            except Exception:  # noqa: BLE001 - whatever it was, the files in force stay in force
                _log.exception("configuration_not_read")


def _contents(paths: Iterable[Path]) -> tuple[bytes | str, ...]:
    """Of each file; in place of one that can't be read, the reason."""
    return tuple(_content(path) for path in paths)


def _content(path: Path) -> bytes | str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        return error.strerror or type(error).__name__
    return content if len(content) <= LARGEST else f"it is larger than {LARGEST // 1024} KiB"


def load(sites: Path, access: Path, kinds: Collection[str] = PROCEDURES.kinds) -> Files:
    """Read both files; raises `Broken` with the problems of both at once."""
    problems: list[Problem] = []
    site_file = _read(sites, problems)
    access_file = _read(access, problems)
    sites_by_name = _sites(site_file, problems) if site_file else {}
    policy = _validated(Policy, access_file, (), access_file.value, problems) if access_file else None
    if access_file and policy:
        problems += _references(access_file, policy, sites_by_name or None, kinds)
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


def _read(path: Path, problems: list[Problem]) -> _File | None:
    content = _content(path)
    if isinstance(content, str):
        problems.append(Problem(str(path), f"can't be read: {content}"))
        return None
    try:
        node, value = _parsed(content.decode())
    except Exception as error:  # noqa: BLE001 - PyYAML raises whatever its conversions do, even AttributeError
        problems.append(_unreadable(path, content, error))
        return None
    if node is None:
        # Half written, most likely; no grants at all would lock everybody out.
        problems.append(Problem(f"{path}:1", "the file is empty"))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(f"{path}:1", "the file has to be a mapping"))
        return None
    lines: dict[Path_, int] = {}
    for at, line, twice in _walk(node, ()):
        if twice:
            problems.append(Problem(f"{path}:{line}", f"the key `{at[-1]}` is there twice"))
        lines[at] = line
    return _File(path, value, lines)


def _unreadable(path: Path, content: bytes, error: Exception) -> Problem:
    match error:
        case yaml.MarkedYAMLError():
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            return Problem(f"{path}:{line}", f"this is not YAML: {error.problem}")
        case yaml.reader.ReaderError():
            line = content.decode()[: error.position].count("\n") + 1
            return Problem(f"{path}:{line}", "there is a character that YAML does not allow")
        case UnicodeDecodeError():
            return Problem(str(path), "can't be read: it is not UTF-8")
        case RecursionError():
            return Problem(str(path), "its values are nested too deeply")
    return Problem(str(path), f"has a value that can't be read: {str(error).splitlines()[0] or type(error).__name__}")


def _parsed(text: str) -> tuple[yaml.Node | None, Any]:
    """The file as nodes, which have lines, and as a value. Raises all kinds of errors."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        if _size(node, {}) > MOST_NODES:
            raise ValueError("its aliases (*name) make it too large")
        return node, loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, sizes: dict[yaml.Node, int]) -> int:
    """How many nodes there are once every alias is written out. Raises `RecursionError` for one inside itself."""
    if node in sizes:
        if not sizes[node]:
            raise RecursionError
        return sizes[node]
    sizes[node] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [each for pair in node.value for each in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    sizes[node] = 1 + sum(_size(each, sizes) for each in inner)
    return sizes[node]


def _walk(node: yaml.Node | None, at: Path_) -> Iterator[tuple[Path_, int, bool]]:
    """Places with their lines, and whether a key had been there before."""
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
    named = file.value.get("sites")
    if not isinstance(named, dict) or not named:
        problems.append(file.problem(("sites",), "`sites` has to map names to sites, at least one"))
        return {}
    sites_by_name: dict[str, Site] = {}
    for name, values in named.items():
        at = ("sites", name)
        if not isinstance(values, dict):
            problems.append(file.problem(at, f"the site `{name}` has to be a mapping"))
        elif site := _validated(Site, file, at, {"name": name, **values}, problems):
            sites_by_name[site.name] = site
    return sites_by_name


def _validated(model: type[Model], file: _File, at: Path_, value: Any, problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # A list whose only entry is wrong is then called too short as well.
        inner = {detail["loc"][:-1] for detail in errors}
        problems += [
            file.problem((*at, *detail["loc"]), _sentence(model, detail))
            for detail in errors
            if detail["type"] != "too_short" or detail["loc"] not in inner
        ]
        return None


def _sentence(model: type[BaseModel], error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return _no_key(str(error["loc"][-1]), _keys(model, error["loc"][:-1]))
        case "value_error":
            return f"`{place}`: {sentence(error)}" if place else sentence(error)
    return f"`{place}` {sentence(error)}"


def _no_key(key: str, keys: Iterable[str]) -> str:
    near = nearest(key, keys, most=1)
    return f"there is no key `{key}`" + (f"; did you mean `{near[0]}`?" if near else "")


def _keys(model: type[BaseModel], at: Path_) -> list[str]:
    """Keys of the model at a place inside another."""
    for part in at:
        if isinstance(part, str) and part in model.model_fields:
            model = next(iter(_models(model.model_fields[part].annotation)), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


# --- references -----------------------------------------------------------------------------------------------------


def _references(file: _File, policy: Policy, sites: Mapping[str, Site] | None, kinds: Collection[str]) -> list[Problem]:
    """Names in the access file that name nothing. Without usable sites, names of sites are not checked."""
    return [
        *_whereabouts(file, policy, sites),
        *_people(file, policy),
        *_permissions(file, policy),
        *_approvals(file, policy, sites, kinds),
        *_reminders(file, policy),
    ]


def _unknown(file: _File, at: Path_, names: Iterable[str], valid: Iterable[str], noun: str) -> Iterator[Problem]:
    valid = set(valid)
    for index, name in enumerate(names):
        if name not in valid:
            near = nearest(name, valid, most=1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            yield file.problem((*at, index), f"there is no {noun} `{name}`{meant}")


def _whereabouts(file: _File, policy: Policy, sites: Mapping[str, Site] | None) -> Iterator[Problem]:
    if sites is None:
        return
    environments = {site.environment for site in sites.values()}
    rules: tuple[tuple[str, Sequence[Grant | Denial | ApprovalRule]], ...] = (
        ("grants", policy.grants),
        ("denials", policy.denials),
        ("approvals", policy.approvals),
    )
    for key, entries in rules:
        for index, rule in enumerate(entries):
            yield from _unknown(file, (key, index, "sites"), rule.sites, sites, "site")
            at: Path_ = (key, index, "environments")
            yield from _unknown(file, at, rule.environments, environments, "site of the environment")


def _people(file: _File, policy: Policy) -> Iterator[Problem]:
    def named(at: Path_, entries: Sequence[str], known: set[str]) -> Iterator[Problem]:
        ids = {each for each in entries if policy.group_of(each) or policy.person_of(each)}
        yield from _unknown(file, at, entries, known | ids, "person or group")

    names = {*policy.people, *policy.groups}
    for index, grant in enumerate(policy.grants):
        yield from named(("grants", index, "to"), grant.to, names | {EVERYONE})
    for index, denial in enumerate(policy.denials):
        yield from named(("denials", index, "to"), denial.to, names | {EVERYONE})
    for index, approval in enumerate(policy.approvals):
        yield from named(("approvals", index, "approvers"), approval.approvers, names)


def _permissions(file: _File, policy: Policy) -> Iterator[Problem]:
    for index, denial in enumerate(policy.denials):
        yield from _unknown(file, ("denials", index, "permissions"), denial.permissions, PERMISSIONS, "permission")


def _approvals(
    file: _File, policy: Policy, sites: Mapping[str, Site] | None, kinds: Collection[str]
) -> Iterator[Problem]:
    """Approval rules that protect nothing: whoever wrote one relies on it."""
    environments = {site.environment for site in (sites or {}).values()}
    for index, rule in enumerate(policy.approvals):
        at: Path_ = ("approvals", index)
        unknown = [name for name in rule.commands if name not in kinds]
        for name in unknown:
            near = nearest(name, kinds, most=1)
            meant = f"did you mean `{near[0]}`?" if near else f"the kinds are {', '.join(f'`{one}`' for one in kinds)}"
            where = (*at, "commands", rule.commands.index(name))
            yield file.problem(where, f"`{name}` is no kind of operation, so nothing would wait for approval; {meant}")
        named = {*rule.sites} <= {*(sites or {})} and {*rule.environments} <= environments
        if unknown or not named or sites is None:
            continue  # what is wrong with it is said already
        deciding = policy.deciding_for(rule, kinds, sites.values())
        if not deciding:
            yield file.problem(at, f"the rule `{rule.name}` never applies: none of its sites is of its environments")
        elif all(one is not rule for one in deciding):
            above = ", ".join(f"`{one.name}`" for one in deciding)
            yield file.problem(at, f"the rule `{rule.name}` never applies: {above} above it always comes first")


def _reminders(file: _File, policy: Policy) -> Iterator[Problem]:
    for index, approval in enumerate(policy.approvals):
        if approval.remind_before and approval.remind_before >= approval.expires_after:
            yield file.problem(("approvals", index, "remind_before"), "it has to be less than expires_after")
    if policy.approvals and not any("operation:approve" in grant.permissions for grant in policy.grants):
        yield file.problem(("approvals",), "nobody could approve: no grant gives the role approver or admin")
