"""The Arc extension of a connected registry as people see it: a verdict, and the evidence of both planes. Pure."""

from collections.abc import Iterator
from datetime import datetime

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, code, count, cut, date, escape, listed
from handlers.views import causes, clusters, errors
from handlers.views import health as health_words
from handlers.views.connected import Detail, elsewhere, namesakes
from handlers.views.facts import command_line
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
    text = t(":heavy_minus_sign:  No extension runs {name} at any site.", name=bold(name))
    if unasked:
        sites = listed((code(site.name) for site, _ in unasked), t("or"))
        text = t(
            ":grey_question:  No extension is known to run {name}, but one may at {sites}:",
            name=bold(name),
            sites=sites,
        )
    parts = [blocks.section(text)]
    parts += [blocks.context(errors.explanation(error)) for _, error in unasked[:MOST_PROBLEMS]]
    if not unasked:
        parts.append(blocks.context(t("{line} installs one.", line=code(f"{slash} deploy {name} --site SITE"))))
    return Message(escape(t("No extension of {name}", name=name)), (*parts, *namesakes(detail)))


def card(detail: Detail, installation: Installation, now: datetime, *, slash: str = "/registry") -> Message:
    """The verdict on top; beneath it what Azure shows, what the cluster shows, and what could not be asked."""
    extension, site, runtime = installation.extension, installation.site, installation.runtime
    name = detail.registry.name
    current = health(
        sighting_of(detail.acr.id, detail.registry, now, extension=extension.provisioning_state, samples=detail.disk),
        now,
    )
    failure = installation.failure
    if current.state == "silent" and installation.is_up:
        failure = None  # what the log says of the last contact is no reason for a silence that is planned
    verdict = [blocks.section(_verdict(installation, current))]
    if failure is not None:
        verdict = list(_failed(installation, failure, slash))
    parts = [*elsewhere(detail), *verdict, blocks.section(t("*In Azure*")), *blocks.fields(_in_azure(installation))]
    for status in (*extension.problems, *extension.information)[:MOST_PROBLEMS]:
        words = ": ".join(filter(None, [code(status.code), escape(status.message)]))
        parts.append(blocks.context(f"{escape(status.level)}  {words}"))
    parts.append(blocks.section(t("*In the cluster* {name}", name=code(site.cluster.name))))
    if isinstance(runtime, Known):
        parts += _in_cluster(installation, runtime.value)
        # Of the container before, where the new one says nothing yet.
        log = (runtime.value.log.strip() or runtime.value.previous_log.strip()).splitlines()[-LOG_LINES:]
        if failure and log:
            parts.append(blocks.context(t("Last lines of its log:")))
            parts.append(blocks.rich(blocks.preformatted("\n".join(cut(line, LONGEST_LINE) for line in log))))
    answers = (runtime, installation.certificates, installation.cluster, installation.token)
    unasked = [errors.explanation(answer.error) for answer in answers if isinstance(answer, Unknown)]
    parts += [blocks.context(f":grey_question:  {text}") for text in dict.fromkeys(unasked)]
    others = [other.name for other in detail.placement.sites if other != site]
    if others:
        lines = listed(code(f"{slash} extension show {name} --site {other}") for other in others)
        parts.append(blocks.context(t("It runs at other sites too: {lines}.", lines=lines)))
    parts.append(blocks.actions(button(t("Check"), runs=f"check {site.name} --name {name}")))
    return Message(escape(t("Extension of {name} at {site}", name=name, site=site.name)), (*parts, *namesakes(detail)))


def _failed(installation: Installation, failure: Failure, slash: str) -> Iterator[Block]:
    """Why it does not work, and what cures that without an operation that could be retried."""
    name, site = installation.registry.name, installation.site
    registry, state = installation.registry, installation.extension.provisioning_state
    facts = {**site.names, "name": name, "site": site.name, "parent": registry.parent}
    text = causes.render(failure, "deploy", facts)
    cure = text.cure
    if failure.cause in _NEW_CONNECTION_STRING and state == "Succeeded":
        # A deployment keeps an extension that is installed. A rotation wants an activation, and the protocol by which
        # a registry above is served, which the form of a reinstallation asks for.
        if registry.activation == "Active" and not registry.parent:
            cure = t("{line} gives it a new password.", line=code(f"{slash} token rotate {name} --site {site.name}"))
        else:
            cure = t(
                "It needs a new connection string: {line}, whose plan says what goes with it (its volume too).",
                line=code(f"{slash} {command_line('extension reinstall {name} --site {site}', facts)}"),
            )
    elif text.command:
        cure = t("{cure} The command: {line}.", cure=cure, line=code(f"{slash} {text.command}"))
    elif state in {"Failed", "Canceled"}:
        deploy = code(f"{slash} {command_line('extension deploy {name} --site {site}', facts)}")
        cure = t("{cure} {deploy} installs it again.", cure=cure, deploy=deploy).strip()
    title = t("{name} at {site}", name=bold(name), site=bold(site.name))
    yield blocks.section(
        t(
            ":no_entry:  {title} does not work. {sentence}\n{cure}", title=title, sentence=text.sentence, cure=cure
        ).rstrip()
    )
    if text.line:
        yield blocks.rich(blocks.preformatted(text.line))


def _verdict(installation: Installation, current: Health) -> str:
    """Where nothing is known to be wrong."""
    registry, extension, runtime = installation.registry, installation.extension, installation.runtime
    title = t("{registry} at {name}", registry=bold(registry.name), name=bold(installation.site.name))
    if extension.provisioning_state in _CHANGING:
        return t(
            ":hourglass_flowing_sand:  The extension of {title} is {provisioning_state}.",
            title=title,
            provisioning_state=escape(extension.provisioning_state),
        )
    if current.state not in {"healthy", "syncing"}:
        mark, reason = health_words.mark(current.state), health_words.reason(current.reason, current.facts)
        return t(
            "{mark}  {title} is {state}. {reason}",
            mark=mark,
            title=title,
            state=health_words.word(current.state),
            reason=reason,
        )
    if isinstance(runtime, Unknown):
        asked = t("was not asked") if isinstance(runtime, NotAsked) else t("could not be asked")
        return t(
            ":grey_question:  {title} is {connection_state} and its extension"
            " {provisioning_state}, as Azure shows them; the cluster {asked}.",
            title=title,
            connection_state=escape(registry.connection_state),
            provisioning_state=escape(extension.provisioning_state),
            asked=asked,
        )
    if not runtime.value.deployment_available:
        return t(
            ":warning:  {title} is {connection_state}, as Azure shows it, but its Deployment is not"
            " available. It may be restarting; Azure notices a lost connection some minutes later.",
            title=title,
            connection_state=escape(registry.connection_state),
        )
    if runtime.value.volume_phase in {"Lost", "Terminating"}:
        return t(
            ":warning:  {title} works for now, but its volume claim is {phase}. When its Pod ends, its images are lost,"
            " and no Pod starts in its place before there is a new volume.",
            title=title,
            phase=escape(runtime.value.volume_phase),
        )
    return t(
        ":white_check_mark:  {title} works: installed, running and {connection_state}.",
        title=title,
        connection_state=escape(registry.connection_state),
    )


def _in_azure(installation: Installation) -> list[tuple[str, str]]:
    registry, extension = installation.registry, installation.extension
    upgrades = {None: "", True: t("new minor versions by themselves"), False: t("by hand only")}
    train = (
        t(", release train {release_train}", release_train=escape(extension.release_train))
        if extension.release_train
        else ""
    )
    synced = (
        t(", last sync {last_sync}", last_sync=date(registry.last_sync)) if registry.last_sync else t(", never synced")
    )
    match installation.cluster:
        case Known(value=ArcCluster() as arc):
            cluster = clusters.contact(arc)
        case Known():
            cluster = t("is not connected to Azure Arc")
        case _:
            cluster = t("could not be asked")
    return [
        (t("Extension"), f"{code(extension.name)} {escape(extension.provisioning_state)}"),
        (t("Version"), f"{escape(extension.version) or t('not known yet')}{train}"),
        (t("Upgrades"), upgrades[extension.auto_upgrade]),
        (t("Last changed"), date(extension.modified) if extension.modified else ""),
        (t("Connected registry"), f"{escape(registry.connection_state)}, {escape(registry.activation)}{synced}"),
        (t("Sync token"), _token(installation.token, registry.token_id)),
        (t("Cluster"), cluster),
    ]


def _token(answer: Answer[Token | None], token_id: str) -> str:
    name = code(token_id.rpartition("/")[2])
    match answer:
        case Unknown():
            return t("{name} could not be asked", name=name)
        case Known(value=None):
            return t("{name} does not exist", name=name) if name else t("none")
        case Known(value=Token(enabled=enabled)):
            return f"{name} {t('enabled') if enabled else t('disabled')}"
    return name


def _in_cluster(installation: Installation, runtime: Runtime) -> Iterator[Block]:
    if not runtime.namespace_phase:
        yield blocks.section(
            t("There is no namespace {namespace}, so nothing is installed.", namespace=code(installation.namespace))
        )
        return
    replicas = (
        t(
            "{ready_replicas} of {pods} ready",
            ready_replicas=runtime.ready_replicas,
            pods=count(runtime.replicas, "Pod"),
        )
        if runtime.replicas
        else ""
    )
    deployment = t("available") if runtime.deployment_available else t("not available")
    nothing = t("scaled to 0 Pods") if runtime.deployment_available else t("none")
    setting = installation.extension.settings.get(SERVICE_ADDRESS, "")
    addresses = listed(map(code, runtime.service_addresses)) or t("none")
    differs = setting and setting not in runtime.service_addresses
    claim = ", ".join(filter(None, (runtime.volume_phase, runtime.volume_class, runtime.volume_request)))
    phase = "" if runtime.namespace_phase == "Active" else f" {escape(runtime.namespace_phase)}"
    yield from blocks.fields(
        [
            (t("Namespace"), f"{code(installation.namespace)}{phase}"),
            (t("Deployment"), f"{deployment}, {replicas}" if replicas else nothing),
            (
                t("Service IP"),
                addresses + (t("; the extension's setting is {setting}", setting=code(setting)) if differs else ""),
            ),
            (t("Volume claim"), escape(claim) or t("none")),
            (t("Certificates"), _certificates(installation.certificates)),
        ]
    )
    pods = [
        f"{code(pod.name)} {escape(pod.waiting_reason or pod.phase)}"
        + (t(" on {node}", node=escape(pod.node)) if pod.node else "")
        + (f", {count(pod.restarts, 'restart')}" if pod.restarts else "")
        for pod in runtime.pods
    ]
    further = [t("and {number} more", number=len(pods) - MOST_PODS)] if len(pods) > MOST_PODS else []
    yield blocks.context(t("Pods: ") + "; ".join([*pods[:MOST_PODS], *further]) if pods else t("There are no Pods."))
    # The cluster keeps events for an hour, whatever has become of their cause.
    mark = t("Earlier:") if runtime.deployment_available else ":warning:"
    for warning in runtime.warnings[-MOST_EVENTS:]:
        yield blocks.context(f"{mark}  {escape(warning)}")


def _certificates(answer: Answer[tuple[Certificate, ...]]) -> str:
    if isinstance(answer, Unknown):
        return t("could not be asked")
    return listed(
        f"{code(certificate.name)} "
        + (
            t("ready")
            if certificate.ready
            else t("not ready: {message}", message=escape(certificate.message) or t("no reason given"))
        )
        + (t(", valid until {not_after}", not_after=date(certificate.not_after)) if certificate.not_after else "")
        for certificate in answer.value
    ) or t("none of cert-manager")
