"""The Arc extension of a connected registry as people see it: a verdict, and the evidence of both planes. Pure."""

from collections.abc import Iterator
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, cut, date, escape, listed
from handlers.views import causes, errors
from handlers.views import health as health_words
from handlers.views.connected import Detail, elsewhere, namesakes
from services.model.azure import ArcCluster, Token
from services.model.errors import Failure
from services.model.health import Health
from services.model.kubernetes import Certificate, Runtime
from services.operations.answers import Answer, Known, NotAsked, Unknown
from services.operations.deploy.causes import Cause
from services.operations.deploy.installation import Installation
from services.policy.extensions import SERVICE_ADDRESS
from services.watching.health import health, sighting_of

MOST_EVENTS, MOST_PROBLEMS, MOST_PODS, LOG_LINES = 5, 5, 5, 3
LONGEST_LINE = 200
"""Characters of one line of a log."""
_CHANGING = frozenset({"Creating", "Updating", "Deleting"})
_NEW_CONNECTION_STRING = frozenset({Cause.BAD_PASSWORD, Cause.BAD_CONNECTION_STRING})


def absent(detail: Detail, *, slash: str = "/registry") -> Message:
    """That no extension serves it, as far as the clusters could be asked."""
    name, unasked = detail.registry.name, detail.placement.unasked
    text = f":heavy_minus_sign:  No extension runs {bold(name)} at any site."
    if unasked:
        sites = listed((code(site.name) for site, _ in unasked), "or")
        text = f":grey_question:  No extension is known to run {bold(name)}, but one may at {sites}:"
    parts = [blocks.section(text)]
    parts += [blocks.context(errors.explanation(error)) for _, error in unasked[:MOST_PROBLEMS]]
    if not unasked:
        parts.append(blocks.context(f"{code(f'{slash} deploy {name} --site SITE')} installs one."))
    return Message(escape(f"No extension of {name}"), (*parts, *namesakes(detail)))


def card(detail: Detail, installation: Installation, now: datetime, *, slash: str = "/registry") -> Message:
    """The verdict on top; beneath it what Azure shows, what the cluster shows, and what could not be asked."""
    extension, site, runtime = installation.extension, installation.site, installation.runtime
    name = detail.registry.name
    current = health(sighting_of(detail.acr.id, detail.registry, now, extension=extension.provisioning_state), now)
    failure = installation.failure
    if current.state == "silent" and installation.is_up:
        failure = None  # what the log says of the last contact is no reason for a silence that is planned
    verdict = [blocks.section(_verdict(installation, current))]
    if failure is not None:
        verdict = list(_failed(installation, failure, slash))
    parts = [*elsewhere(detail), *verdict, blocks.section("*In Azure*"), *blocks.fields(_in_azure(installation))]
    for status in (*extension.problems, *extension.information)[:MOST_PROBLEMS]:
        words = ": ".join(filter(None, [code(status.code), escape(status.message)]))
        parts.append(blocks.context(f"{escape(status.level)}  {words}"))
    parts.append(blocks.section(f"*In the cluster* {code(site.cluster.name)}"))
    if isinstance(runtime, Known):
        parts += _in_cluster(installation, runtime.value)
        # Of the container before, where the new one says nothing yet.
        log = (runtime.value.log.strip() or runtime.value.previous_log.strip()).splitlines()[-LOG_LINES:]
        if failure and log:
            parts.append(blocks.context("Last lines of its log:"))
            parts.append(blocks.rich(blocks.preformatted("\n".join(cut(line, LONGEST_LINE) for line in log))))
    answers = (runtime, installation.certificates, installation.cluster, installation.token)
    unasked = [errors.explanation(answer.error) for answer in answers if isinstance(answer, Unknown)]
    parts += [blocks.context(f":grey_question:  {text}") for text in dict.fromkeys(unasked)]
    others = [other.name for other in detail.placement.sites if other != site]
    if others:
        lines = listed(code(f"{slash} extension show {name} --site {other}") for other in others)
        parts.append(blocks.context(f"It runs at other sites too: {lines}."))
    parts.append(blocks.actions(button("Check", runs=f"check {site.name} --name {name}")))
    return Message(escape(f"Extension of {name} at {site.name}"), (*parts, *namesakes(detail)))


def _failed(installation: Installation, failure: Failure, slash: str) -> Iterator[Block]:
    """Why it does not work, and what cures that without an operation that could be retried."""
    name, site = installation.registry.name, installation.site
    text = causes.render(failure, "deploy", {**site.names, "name": name})
    cure, deploy = text.cure, code(f"{slash} deploy {name} --site {site.name}")
    registry, state = installation.registry, installation.extension.provisioning_state
    if failure.cause in _NEW_CONNECTION_STRING and state == "Succeeded":
        # A deployment keeps an extension that is installed. A rotation wants an activation, and no registry above.
        rotates = registry.activation == "Active" and not registry.parent
        cure = (
            f"{code(f'{slash} token rotate {name} --site {site.name}')} gives it a new password."
            if rotates
            else f"It needs a new connection string: {code(f'{slash} remove {name} --site {site.name}')}, whose plan"
            f" says what goes with it (its volume too), then {deploy}."
        )
    elif text.command:
        cure = f"{cure} The command: {code(f'{slash} {text.command}')}."
    elif state in {"Failed", "Canceled"}:
        cure = f"{cure} {deploy} installs it again.".strip()
    title = f"{bold(name)} at {bold(site.name)}"
    yield blocks.section(f":no_entry:  {title} does not work. {text.sentence}\n{cure}".rstrip())
    if text.line:
        yield blocks.rich(blocks.preformatted(text.line))


def _verdict(installation: Installation, current: Health) -> str:
    """Where nothing is known to be wrong."""
    registry, extension, runtime = installation.registry, installation.extension, installation.runtime
    title = f"{bold(registry.name)} at {bold(installation.site.name)}"
    if extension.provisioning_state in _CHANGING:
        return f":hourglass_flowing_sand:  The extension of {title} is {escape(extension.provisioning_state)}."
    if current.state not in {"healthy", "syncing"}:
        mark, reason = health_words.mark(current.state), health_words.reason(current.reason, current.facts)
        return f"{mark}  {title} is {health_words.word(current.state)}. {reason}"
    if isinstance(runtime, Unknown):
        asked = "was not asked" if isinstance(runtime, NotAsked) else "could not be asked"
        return (
            f":grey_question:  {title} is {escape(registry.connection_state)} and its extension"
            f" {escape(extension.provisioning_state)}, as Azure shows them; the cluster {asked}."
        )
    if not runtime.value.deployment_available:
        return (
            f":warning:  {title} is {escape(registry.connection_state)}, as Azure shows it, but its Deployment is not"
            " available. It may be restarting; Azure notices a lost connection some minutes later."
        )
    return f":white_check_mark:  {title} works: installed, running and {escape(registry.connection_state)}."


def _in_azure(installation: Installation) -> list[tuple[str, str]]:
    registry, extension = installation.registry, installation.extension
    upgrades = {None: "", True: "new minor versions by themselves", False: "by hand only"}
    train = f", release train {escape(extension.release_train)}" if extension.release_train else ""
    synced = f", last sync {date(registry.last_sync)}" if registry.last_sync else ", never synced"
    return [
        ("Extension", f"{code(extension.name)} {escape(extension.provisioning_state)}"),
        ("Version", f"{escape(extension.version) or 'not known yet'}{train}"),
        ("Upgrades", upgrades[extension.auto_upgrade]),
        ("Last changed", date(extension.modified) if extension.modified else ""),
        ("Connected registry", f"{escape(registry.connection_state)}, {escape(registry.activation)}{synced}"),
        ("Sync token", _token(installation.token, registry.token_id)),
        ("Cluster", _arc(installation.cluster)),
    ]


def _token(answer: Answer[Token | None], token_id: str) -> str:
    name = code(token_id.rpartition("/")[2])
    match answer:
        case Unknown():
            return f"{name} could not be asked"
        case Known(value=None):
            return f"{name} does not exist" if name else "none"
        case Known(value=Token(enabled=enabled)):
            return f"{name} {'enabled' if enabled else 'disabled'}"
    return name


def _arc(answer: Answer[ArcCluster | None]) -> str:
    match answer:
        case Known(value=ArcCluster(connectivity=connectivity, last_heartbeat=heartbeat)):
            return escape(connectivity) + (f", last heartbeat {date(heartbeat)}" if heartbeat else "")
        case Known():
            return "is not connected to Azure Arc"
    return "could not be asked"


def _in_cluster(installation: Installation, runtime: Runtime) -> Iterator[Block]:
    if not runtime.namespace_phase:
        yield blocks.section(f"There is no namespace {code(installation.namespace)}, so nothing is installed.")
        return
    replicas = f"{runtime.ready_replicas} of {count(runtime.replicas, 'Pod')} ready" if runtime.replicas else ""
    deployment = "available" if runtime.deployment_available else "not available"
    nothing = "scaled to 0 Pods" if runtime.deployment_available else "none"
    setting = installation.extension.settings.get(SERVICE_ADDRESS, "")
    addresses = listed(map(code, runtime.service_addresses)) or "none"
    differs = setting and setting not in runtime.service_addresses
    claim = ", ".join(filter(None, (runtime.volume_phase, runtime.volume_class, runtime.volume_request)))
    phase = "" if runtime.namespace_phase == "Active" else f" {escape(runtime.namespace_phase)}"
    yield from blocks.fields(
        [
            ("Namespace", f"{code(installation.namespace)}{phase}"),
            ("Deployment", f"{deployment}, {replicas}" if replicas else nothing),
            ("Service IP", addresses + (f"; the extension's setting is {code(setting)}" if differs else "")),
            ("Volume claim", escape(claim) or "none"),
            ("Certificates", _certificates(installation.certificates)),
        ]
    )
    pods = [
        f"{code(pod.name)} {escape(pod.waiting_reason or pod.phase)}"
        + (f" on {escape(pod.node)}" if pod.node else "")
        + (f", {count(pod.restarts, 'restart')}" if pod.restarts else "")
        for pod in runtime.pods
    ]
    further = [f"and {len(pods) - MOST_PODS} more"] if len(pods) > MOST_PODS else []
    yield blocks.context("Pods: " + "; ".join([*pods[:MOST_PODS], *further]) if pods else "There are no Pods.")
    # The cluster keeps events for an hour, whatever has become of their cause.
    mark = "Earlier:" if runtime.deployment_available else ":warning:"
    for warning in runtime.warnings[-MOST_EVENTS:]:
        yield blocks.context(f"{mark}  {escape(warning)}")


def _certificates(answer: Answer[tuple[Certificate, ...]]) -> str:
    if isinstance(answer, Unknown):
        return "could not be asked"
    return (
        listed(
            f"{code(certificate.name)} "
            + ("ready" if certificate.ready else f"not ready: {escape(certificate.message) or 'no reason given'}")
            + (f", valid until {date(certificate.not_after)}" if certificate.not_after else "")
            for certificate in answer.value
        )
        or "none of cert-manager"
    )
