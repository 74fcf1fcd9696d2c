"""Steps on a client token of a connected registry, for each kind of operation that lets somebody read at the edge.

`name` among the parameters is that of the scope map and of the token, `token` the token's where `registry` is the
connected registry that lists it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.model.azure import ConnectedRegistry, Pending
from services.model.errors import Absent
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations import client_tokens
from services.operations.command_line import (
    Variable,
    acr_options,
    command_line,
    fetched,
    kubectl_options,
    lines,
    scope_options,
)
from services.operations.outputs import TokenLinked
from services.operations.step import Done, Progress, Scene, Step, follow, followed
from services.operations.token_steps import put_scope_map, put_token
from services.policy.schedule import next_contact
from services.policy.sites import Site


def pull_secret_lines(site: Site, namespace: str, name: str, slot: str, *, token: object, server: object) -> str:
    """Lines of a script that fill a token's slot with a password and make the Secret of it."""
    generated = command_line(
        "az acr token credential generate",
        name=token,
        **acr_options(site.acr_ref),
        **{slot: True},
        query="passwords[0].value",
        output="tsv",
    )
    # By a pipe: the arguments of a process can be read by everybody on its machine, and printf is built in.
    secret = command_line(
        "kubectl create secret generic",
        name,
        **kubectl_options(site, namespace),
        type="kubernetes.io/dockerconfigjson",
        from_file=".dockerconfigjson=/dev/stdin",
    )
    password = Variable("password")
    form = '{"auths":{"%s":{"username":"%s","password":"%s"}}}'
    login = command_line("", server, token, password)
    return lines((*fetched(password, generated), f"printf '{form}'{login} | {secret}"))


def put_client_scope_map(kind: str, purpose: Callable[[Scene], str]) -> Step:
    """A step that creates or changes the scope map of a client token; `purpose` ends the sentence that describes it."""

    async def begin(scene: Scene) -> Progress:
        acr, params = scene.site.acr_ref, scene.params
        description = f"Created by the registry bot for {purpose(scene)}."
        return followed(await scene.azure.scope_maps.put(acr, params["name"], params["actions"], description))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        actions = planned.params["actions"]
        words = command_line("az acr scope-map create", name=planned.params["name"], **acr_options(site.acr_ref))
        return f"{words} {scope_options(actions if isinstance(actions, tuple | list) else ())}"

    return put_scope_map(kind, begin, line)


def put_client_token(kind: str) -> Step:
    """A step that creates a client token, without a password."""

    async def begin(scene: Scene) -> Progress:
        acr, params = scene.site.acr_ref, scene.params
        return followed(await scene.azure.tokens.put(acr, params["name"], f"{acr.id}/scopeMaps/{params['name']}"))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        name = planned.params["name"]
        return command_line(
            "az acr token create", name=name, **acr_options(site.acr_ref), scope_map=name, no_passwords="true"
        )

    return put_token(kind, begin, line)


def link_token(kind: str) -> Step:
    """A step that adds the client token to the connected registry's list."""

    def progress(pending: Pending) -> Progress:
        synced = pending.facts.get("synced_before")
        return followed(pending, TokenLinked(datetime.fromisoformat(synced) if synced else None))

    async def begin(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["registry"])
        pending = await client_tokens.write(scene, registry, add=(scene.params["token"],))
        if pending is None:
            return Done(TokenLinked(registry.last_sync))
        synced = registry.last_sync.isoformat() if registry.last_sync else ""
        return progress(replace(pending, facts={"synced_before": synced}))

    async def wait(scene: Scene, token: Pending) -> Progress:
        return progress(await scene.azure.operations.poll(token))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return client_tokens.line(site, str(planned.params["registry"]), add=planned.params["token"])

    return Step(kind, begin, line, wait=wait)


def unlink_token(kind: str) -> Step:
    """A step that takes the client token from the connected registry's list; nothing to do where it is not in it."""

    async def begin(scene: Scene) -> Progress:
        try:
            registry = await scene.azure.connected.get(scene.site.acr_ref, scene.params["registry"])
        except Absent:
            return Done()
        pending = await client_tokens.write(scene, registry, remove=(scene.params["token"],))
        return followed(pending) if pending else Done()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return client_tokens.line(site, str(planned.params["registry"]), remove=planned.params["token"])

    return Step(kind, begin, line, wait=follow)


def sync_facts(registry: ConnectedRegistry) -> dict[str, object]:
    """When the edge had and will have news of the cloud."""
    return {"schedule": registry.schedule, "last_sync": registry.last_sync, "next_sync": next_contact(registry)}
