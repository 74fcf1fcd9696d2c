"""The site file and the access file: read with line numbers, checked as a whole, reloaded when they change.

A changed file that has problems leaves the previous one in force; the problems and their lines are logged and kept.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from bot.problems import Broken, Problem, did_you_mean
from bot.yaml_file import File, Place, content_of, no_key, read
from services.operations.procedures import PROCEDURES
from services.policy.access import EVERYONE, PERMISSIONS, ApprovalRule, Denial, Grant, Policy
from services.policy.identities import scopes
from services.policy.sites import Site

LONGEST_REQUEST = timedelta(days=365)
"""How long an approval rule may let a request wait; a span of millennia would leave the calendar."""
_log = structlog.get_logger("configuration")


@dataclass(frozen=True)
class Files:
    """The contents of both files."""

    sites: Mapping[str, Site]
    policy: Policy
    site_lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By the site's name, the line of each key that the site file has for it, such as `acr.name`."""


class FileConfiguration:
    """The configuration in force; implements `services.ports.Configuration`."""

    def __init__(
        self,
        sites: Path,
        access: Path,
        kinds: Collection[str] = PROCEDURES.kinds,
        *,
        identities: Collection[str] = (),
    ) -> None:
        """`kinds` of operation and `identities` are what the files may name. Raises `Broken` for unusable files."""
        self._kinds, self._identities = kinds, identities
        self._paths = (sites, access)
        self._contents = _contents(self._paths)
        self._files = load(sites, access, kinds, identities=identities)
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with the files on disk; empty when they are in force."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites, by name."""
        return self._files.sites

    @property
    def site_lines(self) -> Mapping[str, Mapping[str, int]]:
        """By the site's name, the line of each of its keys."""
        return self._files.site_lines

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
            self._files = load(*self._paths, self._kinds, identities=self._identities)
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
    return tuple(content_of(path) for path in paths)


def load_sites(path: Path) -> Mapping[str, Site]:
    """The sites of a file alone, by name; raises `Broken` with its problems."""
    problems: list[Problem] = []
    file = read(path, problems)
    sites = _sites(file, problems) if file else {}
    if problems:
        raise Broken(problems)
    return sites


def load(
    sites: Path,
    access: Path,
    kinds: Collection[str] = PROCEDURES.kinds,
    *,
    identities: Collection[str] | None = (),
) -> Files:
    """Read both files; raises `Broken` with the problems of both. `identities` is None where they are not known."""
    problems: list[Problem] = []
    site_file = read(sites, problems)
    access_file = read(access, problems)
    sites_by_name = _sites(site_file, problems) if site_file else {}
    if site_file:
        problems += _wrong_identities(site_file, sites_by_name, identities)
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
    return Files(sites_by_name, policy, _site_lines(site_file) if site_file else {})


# --- values ---------------------------------------------------------------------------------------------------------


def _sites(file: File, problems: list[Problem]) -> dict[str, Site]:
    problems += [file.problem((key,), no_key(key, ["sites"])) for key in file.value if key != "sites"]
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


def _site_lines(file: File) -> dict[str, dict[str, int]]:
    lines: dict[str, dict[str, int]] = {}
    for (section, *place), line in file.lines.items():
        if section == "sites" and len(place) > 1:
            lines.setdefault(str(place[0]), {})[".".join(map(str, place[1:]))] = line
    return lines


def _wrong_identities(file: File, sites: Mapping[str, Site], names: Collection[str] | None) -> Iterator[Problem]:
    """Identities that there are not, and resource groups in which two of them would have to work."""
    by_group: dict[str, tuple[str, str]] = {}
    for site in sites.values():
        named = {("identity",): site.identity, ("acr", "identity"): site.acr.identity}
        for at, name in {**named, ("cluster", "identity"): site.cluster.identity}.items():
            if name and names is not None and name not in names:
                hint = did_you_mean(name, names) or "; they stand in the file that REGISTRY_BOT_IDENTITIES names"
                yield file.problem(("sites", site.name, *at), f"there is no identity `{name}`{hint}")
        for group, identity in scopes(site):
            other, others = by_group.setdefault(group, (site.name, identity))
            if others != identity:
                text = (
                    f"the resource group {group.rpartition('/')[2]} has the identity {_shown(identity)} here, and"
                    f" {_shown(others)} at the site `{other}`: in one resource group one identity works"
                )
                yield file.problem(("sites", site.name), text)


def _shown(identity: str) -> str:
    return f"`{identity}`" if identity else "of the bot's own settings"


# --- references -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rules:
    """The rules of the access file, beside what they name."""

    file: File
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
                at: Place = (key, index, "environments")
                yield from self.file.unknown(at, rule.environments, environments, "site in the environment")

    def unknown_people_and_permissions(self) -> Iterator[Problem]:
        """Names of people and groups, and permissions."""
        policy, file = self.policy, self.file

        def unknown_people(at: Place, entries: Sequence[str], names: set[str]) -> Iterator[Problem]:
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
            at: Place = ("approvals", index)
            if rule.expires_after > LONGEST_REQUEST:
                yield file.problem((*at, "expires_after"), f"has to be P{LONGEST_REQUEST.days}D or less")
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
