"""The door: words → command → arguments → permission → run → message. The only place that catches domain errors.

Everything that people do comes through here: typed commands, clicked buttons and submitted forms are all command text.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from handlers.kit.catalogue import Catalogue, Parsed
from handlers.kit.command import Command, Commands, Parameter
from handlers.kit.message import Message, Modal
from handlers.kit.nearest import nearest, ranked
from handlers.kit.request import Request
from handlers.kit.words import join, words
from handlers.views import errors as views
from services.model.audit import AuditRow
from services.model.errors import Denied, DomainError, Invalid, NotFound
from services.model.redaction import scrub
from services.policy.sites import Site
from services.services import Services

_NAMES_DEADLINE = timedelta(seconds=1.5)
_OUTCOMES = {"done": "done", "form": "done", "Denied": "denied"}
_log = structlog.get_logger("door")


@dataclass(frozen=True)
class Answer:
    """What came out, and if it is about one parameter of the command, which and why: forms show it beside its field."""

    message: Message | Modal | None
    """None: what was asked for shows itself, as an operation's card does."""
    parameter: str = ""
    problem: str = ""


@dataclass
class _Passage:
    """What is known so far of one request, for its audit row."""

    text: str
    command: Command | None = None
    site: Site | None = None
    rule: str = ""
    """Which rule of the policy decided."""
    outcome: str = "done"


class Door:
    """Runs what people say."""

    def __init__(self, commands: Catalogue, services: Services, *, deadline: timedelta = timedelta(seconds=25)) -> None:
        self._commands = commands
        self._services = services
        self._deadline = deadline.total_seconds()
        self._parsing = asyncio.Lock()

    async def dispatch(self, request: Request) -> Answer:
        """Run one request. Never raises, short of being cancelled."""
        passage = _Passage(text=request.text)
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._answer(request, passage)
        except TimeoutError:
            passage.outcome = "Deadline"
            answer = Answer(views.too_long(self._deadline, request.reference))
        except Exception as error:  # noqa: BLE001 - a person waits for a word, whatever happened
            passage.outcome = type(error).__name__
            _log.exception("fault", reference=request.reference)
            answer = Answer(views.ours(request.reference))
        await self._record(request, passage, time.perf_counter() - began)
        return answer

    async def _answer(self, request: Request, passage: _Passage) -> Answer:
        try:
            return Answer(await self._run(request, passage))
        except DomainError as error:
            passage.outcome = type(error).__name__
            passage.rule = error.rule if isinstance(error, Denied) else passage.rule
            error = await self._with_names(error, passage.site)
            return Answer(
                views.message(error, request),
                parameter=_parameter(error, passage.command),
                problem=views.plain(error, slash=request.slash),
            )

    async def _run(self, request: Request, passage: _Passage) -> Message | Modal | None:
        said = words(request.text, typed=not request.said_by_click)
        passage.text = join(said)
        command, arguments = self._commands.find(_asked(said, self._commands.nouns))
        passage.command = command
        passage.rule = self._allow(request, command, None)
        parsed = await self._parse(command, arguments)
        passage.site = parsed.site
        if passage.site:
            passage.rule = self._allow(request, command, passage.site)
        if parsed.missing:
            return await self._form(request, parsed, passage)
        values = {Request: request, Services: self._services, Commands: self._commands}
        injected = {name: values[kind] for name, kind in command.injected.items()}
        return await command.run(**parsed.given, **injected)

    async def _parse(self, command: Command, rest: tuple[str, ...]) -> Parsed:
        """One a turn of the loop: a parse takes milliseconds, and acknowledgements must not wait for a row of them."""
        async with self._parsing:
            parsed = self._commands.parse(command, rest, self._services.sites)
            await asyncio.sleep(0)
        return parsed

    def _allow(self, request: Request, command: Command, site: Site | None) -> str:
        decision = self._services.policy.decide(
            request.person, request.place, command.needs, site, changes=command.changes
        )
        decision.enforce()
        return decision.rule

    async def _form(self, request: Request, parsed: Parsed, passage: _Passage) -> Modal:
        command, lacking = parsed.command, parsed.missing[0]
        if command.modal is None or not request.trigger_id:
            raise _lacks(command, lacking)
        modal = await command.modal(request, parsed.given, self._services)
        names = {field.parameter for field in modal.fields}
        for parameter in parsed.missing:
            if parameter.name not in names:
                raise _lacks(command, parameter)
        passage.outcome = "form"
        return modal

    async def _with_names(self, error: DomainError, site: Site | None) -> DomainError:
        """Near names of connected registries: only known outside, so asked for here once for all commands."""
        if not isinstance(error, NotFound) or error.kind != "connected registry" or error.near:
            return error
        try:
            async with asyncio.timeout(_NAMES_DEADLINE.total_seconds()):
                names = await self._services.names.connected(site)
        except TimeoutError:
            return error
        return replace(error, near=nearest(error.name, names))

    async def suggest(self, request: Request, runs: str, parameter: str, typed: str) -> tuple[str, ...]:
        """Names to choose from for a form's field. Nothing for whom the command is not; never raises."""
        try:
            command, _ = self._commands.find(words(runs, typed=False))
            self._allow(request, command, None)
            declared = command.parameter(parameter)
            if suggest := command.suggest.get(parameter):
                return tuple(await suggest(request, typed, self._services))
        except DomainError as error:
            _log.info("no suggestions", parameter=parameter, error=type(error).__name__)
            return ()
        return ranked(typed, self._sites(request, command)) if declared and declared.is_site else ()

    def _sites(self, request: Request, command: Command) -> list[str]:
        policy = self._services.policy
        return [
            site.name
            for site in self._services.sites.values()
            if policy.decide(request.person, request.place, command.needs, site).allowed
        ]

    async def _record(self, request: Request, passage: _Passage, seconds: float) -> None:
        command = passage.command.name if passage.command else ""
        facts = {
            "command": command,
            "name": request.person.name,
            "team": request.person.team,
            "site": passage.site.name if passage.site else "",
            "result": passage.outcome,
            "milliseconds": round(seconds * 1000, 1),
            "reference": request.reference,
            "clicked": request.said_by_click,
        }
        _log.info("command", person=request.person.id, channel=request.place.channel, rule=passage.rule, **facts)
        row = AuditRow(
            kind="command",
            person=request.person.id,
            outcome=_OUTCOMES.get(passage.outcome, "failed"),
            text=scrub(passage.text),
            channel=request.place.channel,
            rule=passage.rule,
            facts=facts,
            at=request.now,
        )
        try:
            await self._services.audit.record(row)
        except Exception:  # noqa: BLE001 - what was done is done, and the person gets their answer; the log has the row
            _log.exception("audit row lost", reference=request.reference)


def _lacks(command: Command, parameter: Parameter) -> Invalid:
    facts = {"usage": command.reminder, "positional": parameter.positional}
    return Invalid(parameter.name, "", "missing", facts)


def _asked(said: tuple[str, ...], nouns: frozenset[str]) -> tuple[str, ...]:
    """Nothing said is a question for help, and so are a noun alone and `--help` behind anything."""
    if not said:
        return ("help",)
    if len(said) == 1 and said[0].lower() in nouns:
        return ("help", *said)
    if "--help" in said or "-h" in said:
        return ("help", *[word for word in said if not word.startswith("-")][:2])
    return said


def _parameter(error: DomainError, command: Command | None) -> str:
    """The parameter that an error is about; empty when it is about none or several."""
    if command is None:
        return ""
    if isinstance(error, Invalid):
        parameter = command.parameter(error.field_name)
        return parameter.name if parameter else ""
    if isinstance(error, NotFound) and error.kind == "site":
        return command.site_parameter or ""
    if isinstance(error, NotFound) and error.kind in ("connected registry", "name"):
        return next((parameter.name for parameter in command.parameters if parameter.positional), "")
    return ""
