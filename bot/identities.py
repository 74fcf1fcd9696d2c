"""The file of identities: who the bot is in further tenants, or at sites that keep their rights apart."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.problems import Broken, Problem
from bot.yaml_file import File, read
from services.gateways.azure.identity import Identity
from services.model.secret import Secret

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class NamedIdentity(BaseModel):
    """One identity. Its secret stands in a file or an environment variable of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["workload", "managed", "secret", "cli"]
    tenant: str = ""
    client_id: str = ""
    secret_file: Path | None = None
    secret_variable: str = ""
    token_file: Path | None = Field(None, description="Of a workload identity's federated token.")

    @model_validator(mode="after")
    def _complete(self) -> "NamedIdentity":
        if self.kind == "secret" and not (self.tenant and self.client_id):
            raise ValueError("an identity of the kind `secret` needs `tenant` and `client_id`")
        if (self.kind == "secret") is not (bool(self.secret_file) ^ bool(self.secret_variable)):
            raise ValueError("`secret_file` or `secret_variable`, one of them, belongs to the kind `secret`")
        if self.kind == "workload" and not (self.tenant and self.client_id and self.token_file):
            raise ValueError("an identity of the kind `workload` needs `tenant`, `client_id` and `token_file`")
        if self.kind == "managed" and self.tenant:
            raise ValueError("a managed identity has the tenant of its machine: leave `tenant` out")
        return self


class IdentityFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    identities: dict[Name, NamedIdentity]


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Mapping[str, Identity]:
    """The identities by name; none without a file. Raises `Broken` with every problem."""
    if path is None:
        return {}
    problems: list[Problem] = []
    file = read(path, problems)
    content = file.validated(IdentityFile, (), file.value, problems) if file else None
    if file is None or content is None:
        raise Broken(problems)
    identities = {
        name: _identity(file, name, entry, environment, problems) for name, entry in content.identities.items()
    }
    if problems:
        raise Broken(problems)
    return identities


def _identity(
    file: File, name: str, entry: NamedIdentity, environment: Mapping[str, str], problems: list[Problem]
) -> Identity:
    at = ("identities", name)
    secret = ""
    if entry.secret_variable:
        secret = environment.get(entry.secret_variable, "").strip()
        if not secret:
            where = (*at, "secret_variable")
            problems.append(file.problem(where, f"the environment variable `{entry.secret_variable}` is not set"))
    if entry.secret_file:
        try:
            secret = entry.secret_file.read_text(encoding="utf-8").strip()
            reason = "" if secret else "it is empty"
        except (OSError, UnicodeDecodeError) as error:
            reason = str(getattr(error, "strerror", "") or "it is not text")
        if reason:
            problems.append(file.problem((*at, "secret_file"), f"{entry.secret_file} can't be used: {reason}"))
    if entry.token_file and not os.access(entry.token_file, os.R_OK):
        problems.append(file.problem((*at, "token_file"), f"the bot can't read {entry.token_file}"))
    return Identity(
        entry.kind, entry.tenant, entry.client_id, Secret(secret) if secret else None, str(entry.token_file or "")
    )
