"""The door: words → command → arguments → permission → run → message. The only place that catches domain errors.

Everything that people do passes through here: typed commands, clicked buttons and submitted forms are all command text.
"""

import asyncio
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import dropwhile

import structlog

from handlers.kit import corrections
from handlers.kit.catalogue import Catalogue, Parsed
from handlers.kit.command import Command, Commands, Parameter
from handlers.kit.language import language_of, reading
from handlers.kit.message import Message, Modal
from handlers.kit.nearest import nearest, ranked
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.kit.words import join, words
from handlers.views import errors as views
from services.model.audit import AuditRow
from services.model.errors import DatabaseAway, Denied, DomainError, Foreign, Invalid, NotFound
from services.model.redaction import scrub, scrub_words
from services.policy.sites import Site
from services.services import Services

_NAMES_DEADLINE = timedelta(seconds=1.5)
_LONGEST = 4000
"""Characters of a command; Slack's own limit for a message. A longer text is not even split into words."""
_OUTCOMES = {"done": "done", "form": "done", "Denied": "denied"}
_log = structlog.get_logger("door")


@dataclass(frozen=True)
class Reply:
    """The answer to a request. A form stays open with a `problem`, beside the field of the `parameter` it is about."""

    message: Message | Modal | None
    """None when the result is shown elsewhere, such as on an operation's card."""
    parameter: str = ""
    problem: str = ""


@dataclass
class _Passage:
    """What has been worked out about one request so far, for its audit row."""

    words: tuple[str, ...] = ()
    text: str = ""
    """The text for logs and audit rows, without anything that looks like a secret."""
    command: Command | None = None
    site: Site | None = None
    rule: str = ""
    """The rule of the policy that decided."""
    outcome: str = "done"


class Door:
    """Runs what people type, click and submit."""

    def __init__(self, commands: Catalogue, services: Services, *, deadline: timedelta = timedelta(seconds=25)) -> None:
        self._commands = commands
        self._services = services
        self._deadline = deadline.total_seconds()

    async def dispatch(self, request: Request) -> Reply:
        """Run one request. Never raises unless it is cancelled."""
        passage = _Passage()
        began = time.perf_counter()
        with reading(language_of(request.person.locale)):
            try:
                async with asyncio.timeout(self._deadline) as deadline:
                    request = replace(request, answer_by=deadline.when() or math.inf)
                    reply = await self._reply(request, passage, deadline)
            except TimeoutError:
                passage.outcome = "Deadline"
                late = views.too_long(self._deadline, request.reference)
                reply = Reply(late, problem=late.text)
            except Exception as error:  # noqa: BLE001 - a person waits for an answer, even after a fault
                passage.outcome = type(error).__name__
                _log.exception("fault", reference=request.reference)
                fault = views.ours(request.reference)
                reply = Reply(fault, problem=fault.text)
        await self._record(request, passage, time.perf_counter() - began)
        return reply

    async def _reply(self, request: Request, passage: _Passage, deadline: asyncio.Timeout) -> Reply:
        try:
            return Reply(await self._run(request, passage, deadline))
        except DomainError as error:
            passage.outcome = type(error).__name__
            passage.rule = error.rule if isinstance(error, Denied) else passage.rule
            error = await self._with_names(request, error, passage)

            def permitted(command: Command | None, site: Site | None) -> bool:
                needs, changes = (command.needs, command.changes) if command else (None, False)
                policy = self._services.policy
                return policy.decide(request.person, request.place, needs, site, changes=changes).allowed

            correction = corrections.correction(
                passage.words,
                error,
                passage.command,
                catalogue=self._commands,
                sites=self._services.sites,
                permitted=permitted,
                slash=request.slash,
            )
            return Reply(
                views.message(error, request, correction),
                parameter=_parameter(error, request, passage.command),
                problem=views.plain(error, slash=request.slash),
            )

    async def _run(self, request: Request, passage: _Passage, deadline: asyncio.Timeout) -> Message | Modal | None:
        if len(request.text) > _LONGEST and not request.said_by_click:
            passage.text = f"({len(request.text)} characters)"
            raise Invalid("text", request.text[:100], "text.too_long", {"most": _LONGEST})
        passage.text = scrub(request.text)
        typed = words(request.text, typed=not request.said_by_click)
        # A copied line may begin with the slash word or the bot's name, which Slack adds a second time.
        own_name = request.slash.lstrip("/")
        passage.words = tuple(dropwhile(lambda word: word.lower().lstrip("/@") == own_name, typed))
        passage.text = join(scrub_words(passage.words))
        command, arguments = self._commands.find(self._commands.with_help(passage.words))
        passage.command = command
        passage.rule = self._allow(request, command, None)
        parsed = self._commands.parse(command, arguments, self._services.sites)
        passage.site = parsed.site
        if passage.site is None and command.site_of and not parsed.missing:
            passage.site = await command.site_of(parsed.arguments, self._services)
        if passage.site:
            passage.rule = self._allow(request, command, passage.site)
        if parsed.missing:
            return await self._form(request, parsed, passage)
        values = {Request: request, Services: self._services, Commands: self._commands}
        injected = {name: values[kind] for name, kind in command.injected.items()}
        if command.changes:
            # Half a change would go on unseen, or not at all. What it waits for has deadlines of its own.
            deadline.reschedule(None)
        return await command.run(**parsed.arguments, **injected)

    def _allow(self, request: Request, command: Command, site: Site | None) -> str:
        decision = self._services.policy.decide(
            request.person, request.place, command.needs, site, changes=command.changes
        )
        decision.enforce()
        return decision.rule

    async def _form(self, request: Request, parsed: Parsed, passage: _Passage) -> Modal:
        command, first_missing = parsed.command, parsed.missing[0]
        if command.modal is None or not request.trigger_id:
            raise _missing(command, first_missing)
        modal = await command.modal(request, parsed.arguments, self._services)
        names = {field.parameter for field in modal.fields}
        for parameter in parsed.missing:
            if parameter.name not in names:
                raise _missing(command, parameter)
        passage.outcome = "form"
        return modal

    # --- names ------------------------------------------------------------------------------------------------------

    async def _with_names(self, request: Request, error: DomainError, passage: _Passage) -> DomainError:
        """The error with suggested names of sites, operations and registries, limited to those the person may see."""
        if not isinstance(error, NotFound):
            return error
        needs = passage.command.needs if passage.command else None
        permitted = permitted_sites(request, self._services, needs)
        match error.kind:
            case "site":
                names = [site.name for site in permitted]
                return replace(error, near=nearest(error.name, names), known=tuple(names) if error.known else ())
            case "site or cloud registry":
                names = ["all", *(site.name for site in permitted), *(site.acr.name for site in permitted)]
                return replace(error, near=nearest(error.name, names))
            case "operation":
                operations = [await self._services.operations.get(id_) for id_ in error.near]
                names = [site.name for site in permitted]
                return replace(error, near=tuple(operation.id for operation in operations if operation.site in names))
            case "connected registry" if not error.near:
                return replace(error, near=nearest(error.name, await self._names(passage.site, permitted)))
        return error

    async def _names(self, site: Site | None, permitted: Iterable[Site]) -> set[str]:
        """Names of the connected registries at a site, or at all permitted sites; empty if Azure answers too slowly."""
        sites = (site,) if site else tuple(permitted)
        try:
            async with asyncio.timeout(_NAMES_DEADLINE.total_seconds()):
                lists = await asyncio.gather(*map(self._services.names.connected, sites))
        except TimeoutError:
            return set()
        return {name for names in lists for name in names}

    async def suggest(self, request: Request, runs: str, parameter: str, typed: str) -> tuple[str, ...]:
        """Names to choose from in a form's field; none if the person may not run the command. Never raises."""
        try:
            command, _ = self._commands.find(words(runs, typed=False))
            self._allow(request, command, None)
            declared = command.parameter(parameter)
            if suggest := command.suggest.get(parameter):
                return tuple(await suggest(request, typed, self._services))
        except DomainError as error:
            _log.info("no_suggestions", parameter=parameter, error=type(error).__name__)
            return ()
        if declared is None or not declared.is_site:
            return ()
        return ranked(typed, [site.name for site in permitted_sites(request, self._services, command.needs)])

    async def _record(self, request: Request, passage: _Passage, seconds: float) -> None:
        command = passage.command.name if passage.command else ""
        facts = {
            "command": command,
            "team": request.person.team,
            "result": passage.outcome,
            "milliseconds": round(seconds * 1000, 1),
            "reference": request.reference,
            "clicked": request.said_by_click,
        }
        row = AuditRow(
            kind="command",
            person=request.person.id,
            name=request.person.name,
            outcome=_OUTCOMES.get(passage.outcome, "failed"),
            text=passage.text,
            site=passage.site.name if passage.site else "",
            channel=request.place.channel,
            rule=passage.rule,
            facts=facts,
            at=request.now,
        )
        self._services.traces.describe(
            f"{request.slash} {command}".strip(),
            {"command.result": passage.outcome, "command.reference": request.reference, "operation.site": row.site},
        )
        _log.info(
            "command", person=row.person, name=row.name, site=row.site, channel=row.channel, rule=row.rule, **facts
        )
        try:
            await self._services.audit.record(row)
        except DatabaseAway:
            _log.warning("audit_row_lost", reference=request.reference)
        except Exception:  # noqa: BLE001 - the work is done and the person gets the answer; the row is in the log
            _log.exception("audit_row_lost", reference=request.reference)


def _missing(command: Command, parameter: Parameter) -> Invalid:
    facts = {"usage": command.reminder, "positional": parameter.positional}
    return Invalid(parameter.name, "", "missing", facts)


def _parameter(error: DomainError, request: Request, command: Command | None) -> str:
    """The parameter or attachment that caused an error; empty when none did, or several."""
    parameter_name: str | None = ""
    match error:
        case Invalid(field_name=name) if name in request.attachments:
            parameter_name = name
        case Foreign(service="slack"):  # it does not hand out what was attached
            parameter_name = next(iter(request.attachments), "")
        case Invalid(field_name=name) if command and (parameter := command.parameter(name)):
            parameter_name = parameter.name
        case NotFound(kind="site") if command:
            parameter_name = command.site_parameter
        case NotFound(kind="connected registry") if command:
            parameter_name = next((parameter.name for parameter in command.parameters if parameter.positional), "")
    return parameter_name or ""
