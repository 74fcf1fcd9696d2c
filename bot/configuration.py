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

from bot.problems import Broken, Problem, said
from handlers.kit.nearest import nearest
from services.operations.procedures import PROCEDURES
from services.policy.access import EVERYONE, PERMISSIONS, ApprovalRule, Denial, Grant, Policy
from services.policy.sites import Site

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]
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
        self._texts = _texts(self._paths)
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
        texts = _texts(self._paths)
        if texts == self._texts:
            return False
        self._texts = texts
        try:
            self._files = load(*self._paths, self._kinds)
        except Broken as error:
            self.problems = error.problems
            _log.error("configuration not taken", problems=[str(problem) for problem in error.problems])
            return False
        self.problems = ()
        _log.info("configuration taken", sites=len(self.sites), grants=len(self.policy.grants))
        return True

    async def watch(self, interval: timedelta) -> None:
        """Reload for ever."""
        while True:
            await asyncio.sleep(interval.total_seconds())
            await asyncio.to_thread(self.reload)


def _texts(paths: Iterable[Path]) -> tuple[bytes | None, ...]:
    return tuple(path.read_bytes() if path.is_file() else None for path in paths)


def load(sites: Path, access: Path, kinds: Collection[str] = PROCEDURES.kinds) -> Files:
    """Read both files; raises `Broken` with the problems of both at once."""
    problems: list[Problem] = []
    site_file = _read(sites, problems)
    access_file = _read(access, problems)
    found = _sites(site_file, problems) if site_file else {}
    policy = _validated(Policy, access_file, (), access_file.value, problems) if access_file else None
    if access_file and policy:
        problems += _references(access_file, policy, found or None, kinds)
    if problems or policy is None:
        raise Broken(problems)
    return Files(found, policy)


# --- YAML with lines ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    path: Path
    value: dict[str, Any]
    lines: Mapping[Path_, int]

    def problem(self, at: Path_, what: str) -> Problem:
        """A problem at a place in the file, or at the nearest one above that has a line."""
        while at and at not in self.lines:
            at = at[:-1]
        return Problem(f"{self.path}:{self.lines.get(at, 1)}", what)


def _read(path: Path, problems: list[Problem]) -> _File | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.append(Problem(str(path), f"can't be read: {reason}"))
        return None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        value = loader.construct_document(node) if node else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem(f"{path}:{line}", f"this is not YAML: {error.problem}"))
        return None
    finally:
        loader.dispose()
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


def _walk(node: yaml.Node | None, at: Path_) -> Iterator[tuple[Path_, int, bool]]:
    """Places with their lines, and whether a key had been there before."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1, key.value in seen
            seen.add(key.value)
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
    found: dict[str, Site] = {}
    for name, values in named.items():
        at = ("sites", name)
        if not isinstance(values, dict):
            problems.append(file.problem(at, f"the site `{name}` has to be a mapping"))
        elif site := _validated(Site, file, at, {"name": name, **values}, problems):
            found[site.name] = site
    return found


def _validated(model: type[Model], file: _File, at: Path_, value: Any, problems: list[Problem]) -> Model | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        told = error.errors(include_url=False)
        # A list whose only entry is wrong is then called too short as well.
        inner = {each["loc"][:-1] for each in told}
        problems += [
            file.problem((*at, *each["loc"]), _sentence(model, each))
            for each in told
            if each["type"] != "too_short" or each["loc"] not in inner
        ]
        return None


def _sentence(model: type[BaseModel], error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return _no_key(str(error["loc"][-1]), _keys(model, error["loc"][:-1]))
        case "value_error":
            return f"`{place}`: {said(error)}" if place else said(error)
    return f"`{place}` {said(error)}"


def _no_key(key: str, known: Iterable[str]) -> str:
    near = nearest(key, known, most=1)
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


def _unknown(file: _File, at: Path_, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[Problem]:
    known = set(known)
    for index, name in enumerate(names):
        if name not in known:
            near = nearest(name, known, most=1)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            yield file.problem((*at, index), f"there is no {what} `{name}`{meant}")


def _whereabouts(file: _File, policy: Policy, sites: Mapping[str, Site] | None) -> Iterator[Problem]:
    if sites is None:
        return
    environments = {site.environment for site in sites.values()}
    rules: tuple[tuple[str, Sequence[Grant | Denial | ApprovalRule]], ...] = (
        ("grants", policy.grants),
        ("denials", policy.denials),
        ("approvals", policy.approvals),
    )
    for key, several in rules:
        for index, rule in enumerate(several):
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
