"""Plans as Bicep files: a small reader takes them apart again, and what they state is what Azure's SDKs take."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from azure.mgmt.containerregistry import models as acr
from azure.mgmt.kubernetesconfiguration.v2023_05_01 import models as arc

from handlers.views import bicep
from services.gateways.azure.versions import TESTED
from services.model.operation import Operation
from services.operations.procedures import PROCEDURES
from services.policy.sites import Site
from tests.golden.values import SITE
from tests.unit.scripts.plans import PLANS

STATED = [plan for plan, (of, _site) in PLANS.items() if bicep.is_stated(of)]
HOSTILE = "a'b\\c ${param} '''\n// resource x\t"
TOKEN = re.compile(r"//[^\n]*|'(?:[^'\\\n]|\\.)*'|@?[A-Za-z_][\w.]*|\d+|\n|[^\s\w]", re.ASCII)


@dataclass(frozen=True)
class Name:
    """A symbol, with what it is asked for."""

    text: str


@dataclass(frozen=True)
class Declared:
    """A resource of a file."""

    type: str
    version: str
    exists: bool
    condition: str
    body: dict[str, Any]


class Reader:
    """Of the part of Bicep that the files are made of; anything else ends in an error."""

    def __init__(self, text: str) -> None:
        assert re.sub(r"\s", "", "".join(TOKEN.findall(text))) == re.sub(r"\s", "", text)
        self.tokens: list[str] = [
            token for token in TOKEN.findall(text) if not token.startswith("//") and token != "\n"
        ]
        self.parameters = dict[str, bool]()
        self.resources = dict[str, Declared]()
        assert self.take(3) == ["targetScope", "=", "'resourceGroup'"]
        secure = False
        while self.tokens:
            word = self.next()
            if word == "@secure":
                assert self.take(2) == ["(", ")"]
                secure = True
            elif word == "@description":
                assert [self.next(), _string(self.next()) != "", self.next()] == ["(", True, ")"]
            elif word == "param":
                name = self.next()
                assert self.take(3) == ["string", "=", "''"]
                self.parameters[name], secure = secure, False
            else:
                assert word == "resource"
                self.resource()

    def resource(self) -> None:
        symbol, (kind, version) = self.next(), _string(self.next()).split("@")
        assert symbol not in self.resources
        exists = self.tokens[0] == "existing"
        assert self.take(1 + exists)[-1] == "="
        condition = ""
        if self.tokens[0] == "if":
            end = self.tokens.index("{")
            condition = "".join(self.take(end)[1:])
        self.resources[symbol] = Declared(kind, version, exists, condition, self.value())

    def value(self) -> Any:
        word = self.next()
        if word == "{":
            return dict(self.items())
        if word == "[":
            return list(self.elements())
        if word.startswith("'"):
            return _string(word)
        constants: Mapping[str, Any] = {"true": True, "false": False}
        return constants.get(word, int(word) if word.isdigit() else Name(word))

    def items(self) -> Iterator[tuple[str, Any]]:
        while self.tokens[0] != "}":
            key = self.next()
            assert self.next() == ":"
            yield (_string(key) if key.startswith("'") else key), self.value()
        self.next()

    def elements(self) -> Iterator[Any]:
        while self.tokens[0] != "]":
            yield self.value()
        self.next()

    def next(self) -> str:
        return self.tokens.pop(0)

    def take(self, count: int) -> list[str]:
        return [self.next() for _ in range(count)]


def _string(token: str) -> str:
    marks = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda escape: marks.get(str(escape[1]), str(escape[1])), token[1:-1])


def names(value: Any) -> Iterator[str]:
    """Symbols that a value has in it."""
    if isinstance(value, Name):
        yield value.text.partition(".")[0]
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names(item)


def text(of: Operation, site: Site) -> str:
    """The file of an operation."""
    steps = PROCEDURES.of(of).step
    return bicep.text(of, site, [steps[step.kind].line(site, of, step) if step.runs else "" for step in of.planned])


@pytest.mark.parametrize("plan", STATED)
def test_a_file_declares_all_that_it_names_by_the_versions_that_the_bot_uses(plan: str) -> None:
    file = Reader(text(*PLANS[plan]))

    assert {(one.type, one.version) for one in file.resources.values()} <= bicep.VERSIONS.items()
    assert {name for one in file.resources.values() for name in names(one.body)} <= {*file.resources, *file.parameters}
    assert set(file.parameters.values()) <= {True}


def test_the_versions_are_the_newest_that_the_bot_is_tested_with() -> None:
    assert {kind: TESTED[kind.lower()][0] for kind in bicep.VERSIONS} == bicep.VERSIONS


def test_what_a_deployment_states_is_what_azure_s_sdks_know() -> None:
    resources = Reader(text(*PLANS["deploy"])).resources
    connected = acr.ConnectedRegistry({"properties": resources["connectedRegistry"].body["properties"]}).properties
    scope_map = acr.ScopeMap({"properties": resources["scopeMap"].body["properties"]}).properties
    stated = resources["extension"].body
    extension = arc.Extension.from_dict({key: stated[key] for key in ("identity", "properties")}).as_dict()

    assert connected
    assert scope_map
    assert (connected.mode, connected.parent.sync_properties.schedule) == ("ReadOnly", "* * * * *")
    assert (connected.parent.sync_properties.token_id, connected.client_token_ids) == (str(Name("syncToken.id")), [])
    assert connected.logging
    assert (connected.logging.log_level, connected.logging.audit_log_status) == ("Information", "Disabled")
    assert connected.garbage_collection
    assert (connected.garbage_collection.enabled, connected.garbage_collection.schedule) == (True, "0 0 * * *")
    assert "gateway/edge01/config/read" in scope_map.actions
    assert extension["extension_type"] == "microsoft.containerregistry.connectedregistry"
    assert (extension["auto_upgrade_minor_version"], extension["identity"]["type"]) == (True, "SystemAssigned")
    assert extension["scope"] == {"cluster": {"release_namespace": "connected-registry"}}
    assert extension["configuration_settings"]["service.clusterIP"] == "10.112.0.2"
    assert stated["properties"]["configurationProtectedSettings"] == {"connectionString": Name("connectionString")}
    assert resources["extension"].condition == "(!empty(connectionString))"
    assert resources["registry"].exists


def test_a_certificate_of_one_s_own_is_three_more_secrets_and_the_extension_waits_for_them() -> None:
    own = Reader(text(*PLANS["deploy, own certificate"]))
    by_secret = Reader(text(*PLANS["deploy, certificate from a Secret"])).resources["extension"].body["properties"]
    condition = own.resources["extension"].condition

    assert own.parameters.keys() == {"connectionString", "tlsCertificate", "tlsKey", "tlsAuthority"}
    assert [name for name in own.parameters if f"!empty({name})" not in condition] == []
    assert own.resources["extension"].body["properties"]["configurationProtectedSettings"] == {
        "connectionString": Name("connectionString"),
        "tls.crt": Name("tlsCertificate"),
        "tls.key": Name("tlsKey"),
        "tls.cacrt": Name("tlsAuthority"),
    }
    assert by_secret["configurationProtectedSettings"]["tls.secret"] == "edge"


def test_a_cloud_registry_is_stated_only_where_the_plan_creates_it() -> None:
    resources = Reader(text(*PLANS["deploy, without access and cloud registry"])).resources

    assert not resources["registry"].exists
    assert resources["registry"].body["properties"]["dataEndpointEnabled"] is True
    assert "az acr update --name contosoacr" in text(*PLANS["deploy"])


def test_what_is_in_another_resource_group_is_left_to_the_script() -> None:
    cluster = SITE.cluster.model_copy(update={"resource_group": "plants"})
    apart = SITE.model_copy(update={"cluster": cluster})
    of, _site = PLANS["deploy"]
    written = text(of, apart)

    assert "extension" not in Reader(written).resources
    assert "// az k8s-extension create" in written
    assert "--resource-group plants" in text(PLANS["extension deploy"][0], apart).splitlines()[2]


def test_a_hostile_value_is_one_string_and_a_comment_one_line() -> None:
    of, site = PLANS["deploy"]
    assert of.plan
    steps = [replace(step, params=dict(step.params) | {"schedule": HOSTILE, "image": HOSTILE}) for step in of.planned]
    hostile = replace(of, plan=replace(of.plan, steps=tuple(steps)))
    resources = Reader(text(hostile, site)).resources

    properties = resources["connectedRegistry"].body["properties"]
    assert properties["parent"]["syncProperties"]["schedule"] == HOSTILE


def test_other_kinds_have_no_file() -> None:
    assert {PLANS[plan][0].kind for plan in STATED} == bicep.KINDS
    assert "nothing that a Bicep file could state" in bicep.none(PLANS["update"][0]).text
