"""Settings from the environment and an optional env file. Read once, when the process starts."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.problems import Broken, Problem, did_you_mean, sentence
from services.model.retention import Retention
from services.model.secret import Secret

PREFIX = "REGISTRY_BOT_"
SLASH = r"^/[a-z0-9_-]{1,31}$"
"""A slash command's name (Slack's manifest schema)."""
LAST_PORT = 65535
ENV_FILE = f"{PREFIX}ENV_FILE"


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value).strip())


def _token(start: str, where: str) -> Any:
    def check(value: Any) -> Secret:
        secret = _secret(value)
        if not secret.reveal().startswith(start):
            raise ValueError(f"it has to begin with {start} (see {where})")
        return secret

    return PlainValidator(check)


_CLOUDS = {
    "azurecloud": "public",
    "azurechinacloud": "china",
    "azureusgovernment": "us-government",
    "usgov": "us-government",
}
"""The names that `az cloud list` and others use."""
_SCHEMES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "sqlite": "sqlite",
}
"""SQLAlchemy's scheme by the one that an address has; hosting providers hand out `postgres`."""


def _database(value: Any) -> Secret:
    """The address in the drivers' form. Error messages never repeat it, because it contains a password."""
    address = _secret(value).reveal()
    scheme, separator, location = address.partition("://")
    if not separator:
        raise ValueError("it has to be an address such as postgresql://USER:PASSWORD@HOST/NAME")
    if scheme not in _SCHEMES:
        raise ValueError(f"{scheme} is not supported: it has to begin with postgresql:// or sqlite:///")
    address = f"{_SCHEMES[scheme]}://{location}"
    credentials, separator, _ = location.rpartition("@")
    if separator and (credentials.count(":") > 1 or {"@", "/"} & set(credentials)):
        raise ValueError("write @ / : and % in the password as %40 %2F %3A and %25")
    try:
        _ = urlsplit(address).port
    except ValueError:
        raise ValueError("the port after the host has to be a number") from None
    return Secret(address)


def _host_and_port(value: Any) -> tuple[str, int]:
    host, _, port = str(value).strip().rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        raise ValueError("it has to be HOST:PORT, such as 127.0.0.1:8081")
    return host.strip("[]"), int(port)


def _a_day_or_more(span: timedelta) -> timedelta:
    # Slack repeats deliveries for a day, and an operation's row keeps a repeated one from starting it twice.
    if span < timedelta(days=1):
        raise ValueError("has to be a day (P1D) or more")
    return span


BotToken = Annotated[Secret, _token("xoxb-", "OAuth & Permissions on the app's page")]
AppToken = Annotated[Secret, _token("xapp-", "Basic Information, App-Level Tokens on the app's page")]
DatabaseUrl = Annotated[Secret, PlainValidator(_database)]
OperatorAddress = Annotated[tuple[str, int], NoDecode, PlainValidator(_host_and_port)]
SecretText = Annotated[Secret, PlainValidator(_secret)]
Duration = Annotated[
    timedelta,
    Field(gt=timedelta(0)),
    # A plain number is seconds.
    BeforeValidator(lambda span: f"PT{span}S" if re.fullmatch(r"\d+(\.\d+)?", str(span)) else span),
]
KeptFor = Annotated[Duration, AfterValidator(_a_day_or_more)]
BaseUrl = Annotated[str, Field(pattern=r"^https?://\S+$"), AfterValidator(lambda url: f"{url.rstrip('/')}/")]
HttpUrl = Annotated[str, Field(pattern=r"^https?://\S+$")]
CloudName = Annotated[
    Literal["public", "china", "us-government"],
    BeforeValidator(lambda name: _CLOUDS.get(str(name).lower(), str(name).lower())),
]


class Settings(BaseSettings):
    """All settings. Slack's and Azure's have their usual names; the bot's own begin with REGISTRY_BOT_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )

    slack_bot_token: BotToken = Field(
        validation_alias="SLACK_BOT_TOKEN", description="Bot token of the installed Slack app (xoxb-…)."
    )
    slack_app_token: AppToken | None = Field(
        None,
        validation_alias="SLACK_APP_TOKEN",
        description="App-level token with the scope connections:write (xapp-…). Needed in Socket Mode.",
    )
    slack_signing_secret: SecretText | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Signing secret of the Slack app. Needed in HTTP mode.",
    )
    slack_api_url: BaseUrl = Field(
        "https://slack.com/api/",
        validation_alias="SLACK_API_URL",
        description="Base of Slack's Web API; GovSlack has https://slack-gov.com/api/.",
    )
    azure_tenant_id: str = Field(
        "", validation_alias="AZURE_TENANT_ID", description="Entra tenant of the bot's identity."
    )
    azure_client_id: str = Field(
        "", validation_alias="AZURE_CLIENT_ID", description="Client id of the app registration or the managed identity."
    )
    azure_client_secret: SecretText | None = Field(
        None, validation_alias="AZURE_CLIENT_SECRET", description="Client secret, for the identity `secret`."
    )
    azure_federated_token_file: str = Field(
        "",
        validation_alias="AZURE_FEDERATED_TOKEN_FILE",
        description="Service account token, for the identity `workload`; AKS sets it.",
    )
    azure_cloud: CloudName = Field(
        "public",
        validation_alias="AZURE_CLOUD",
        description="Azure's public cloud, the one that 21Vianet runs in China, or the US Government's.",
    )
    azure_authority_host: str = Field(
        "",
        validation_alias="AZURE_AUTHORITY_HOST",
        description="Address that issues tokens, if it is not the cloud's own.",
    )
    azure_resource_manager_url: str = Field(
        "",
        validation_alias="AZURE_RESOURCE_MANAGER_URL",
        description="Address of Azure Resource Manager, if it is not the cloud's own.",
    )
    azure_api_versions: str = Field(
        "",
        pattern=r"^(?:[A-Za-z.]+(?:/[A-Za-z]+)+=\d{4}-\d{2}-\d{2}[a-z-]*(?:,|$))*$",
        description=(
            "API versions to use regardless of what the cloud offers, separated by commas, such as"
            " `Microsoft.ContainerRegistry/registries/connectedRegistries=2026-03-01-preview`."
            " Otherwise the bot uses the newest version that it supports and the cloud offers."
        ),
    )
    identity: Literal["auto", "workload", "managed", "secret", "cli"] = Field(
        "auto",
        description=(
            "How the bot signs in to Azure: workload identity, managed identity, client secret, the Azure CLI's login,"
            " or whatever azure-identity's default chain finds."
        ),
    )
    identities: Path | None = Field(
        None,
        description=(
            "File of further identities, which sites refer to by name: for other tenants, or for sites whose rights are"
            " kept apart. See connect.md."
        ),
    )
    mode: Literal["socket", "http"] = Field(
        "socket", description="Whether the bot connects to Slack (Socket Mode) or Slack calls the bot over HTTP."
    )
    command: Annotated[str, Field(pattern=SLASH)] = Field(
        "/registry", description="Name of the slash command, the same as in the Slack app's manifest."
    )
    sites: Path = Field(Path("config/sites.yaml"), description="The site file.")
    access: Path = Field(Path("config/access.yaml"), description="The access file.")
    data_dir: Path = Field(Path("data"), description="Folder for the SQLite databases and their lock.")
    database_url: DatabaseUrl | None = Field(
        None,
        description=(
            "Such as postgresql://user:password@host/name. Write @ / : and % in the password as %40 %2F %3A and %25."
            " Without it the bot uses SQLite in the data folder."
        ),
    )
    http_host: str = Field(
        "127.0.0.1", description="Address for health, metrics and, in HTTP mode, Slack's deliveries."
    )
    http_port: int = Field(8080, ge=0, le=LAST_PORT, description="Its port; 0 takes any free one.")
    operator_address: OperatorAddress | None = Field(
        None,
        description=(
            "Separate HOST:PORT for health, readiness and metrics, such as 127.0.0.1:8081, so that the address that"
            " Slack calls serves Slack's route and nothing else."
        ),
    )
    ca_file: Path | None = Field(
        None, description="Additional certificate authorities (PEM) to trust for Slack and Azure, such as a proxy's."
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="One JSON object per line, or text for people to read."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The lowest level to log.")
    traces_url: HttpUrl | None = Field(
        None,
        description=(
            "Where OpenTelemetry traces are sent by OTLP over HTTP, such as http://collector:4318/v1/traces. Without it"
            " there are none. Needs the extra `traces`, which the image has."
        ),
    )
    traces_headers: SecretText | None = Field(
        None,
        description=(
            "Headers that the collector asks for, as `name=value`, separated by commas; spaces and commas in a value"
            " are written as %20 and %2C."
        ),
    )
    traces_to_azure: bool = Field(
        False,
        description=("Whether requests to Resource Manager carry the trace's id in a `traceparent` header."),
    )
    commands_per_minute: int = Field(
        60,
        ge=1,
        description="How many commands, clicks and forms of one person all replicas together take within a minute.",
    )
    command_deadline: Duration = Field(
        timedelta(seconds=25),
        description="How long a command that only reads may take to answer, in seconds or ISO 8601.",
    )
    shutdown_deadline: Duration = Field(
        timedelta(seconds=20), description="How long a stopping process waits for running commands."
    )
    reload_interval: Duration = Field(
        timedelta(seconds=5), description="How often the site file and the access file are checked for changes."
    )
    poll_interval: Duration = Field(
        timedelta(seconds=5),
        description="Pause between two polls of an asynchronous operation, unless Azure asks for a longer one.",
    )
    watch_interval: Duration = Field(
        timedelta(seconds=60),
        description="How often a watched cloud registry's connected registries are listed, with one request each time.",
    )
    keep_operations: KeptFor = Field(
        Retention.operations,
        description="How long operations are kept after they ended, with plan, steps and decisions, such as P400D.",
    )
    keep_deliveries: KeptFor = Field(
        Retention.deliveries,
        description="How long the bot remembers what Slack has delivered; Slack's last retry comes within a day.",
    )
    keep_transitions: KeptFor = Field(
        Retention.transitions,
        description="How long changes of health and resolved alerts are kept.",
    )
    keep_checkpoints: KeptFor = Field(
        Retention.checkpoints,
        description="How long the durable engine's checkpoints of an operation are kept after it ended.",
    )
    keep_audit: KeptFor | None = Field(
        None,
        description=(
            "How long audit rows stay in the database before they are moved to the archive. Without it they stay for"
            " ever."
        ),
    )
    audit_archive: Path | None = Field(
        None,
        description=(
            "Folder for the audit rows that leave the database, as files of JSON Lines; it has to outlive the bot's"
            " machine or Pod. Needed by `REGISTRY_BOT_KEEP_AUDIT`."
        ),
    )


def env_name(field: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


NAMES: Mapping[str, str] = {env_name(field): field for field in Settings.model_fields}
_NEEDS = (
    ("mode", "socket", ("SLACK_APP_TOKEN",)),
    ("mode", "http", ("SLACK_SIGNING_SECRET",)),
    ("identity", "secret", ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")),
)
"""What has to be set too when a setting has a value."""


def load() -> Settings:
    """Read the settings; raises `Broken` with every problem at once."""
    problems: list[Problem] = []
    env_file, configured_file = _env_file(), os.environ.get(ENV_FILE)
    if configured_file and not env_file:
        problems.append(Problem(ENV_FILE, f"there is no file {configured_file} that the bot can read"))
    values = _raw_values(env_file)
    names = {ENV_FILE, *(name for name in NAMES if name.startswith(PREFIX))}
    unknown = [name for name in sorted(values) if name.startswith(PREFIX) and name not in names]
    problems += [Problem(name, f"is not a setting{did_you_mean(name, names)}") for name in unknown]
    for field, choice, needs in _NEEDS:
        if values.get(env_name(field), Settings.model_fields[field].default) == choice:
            problems += [
                Problem(name, f"is not set, but {field} {choice} needs it") for name in needs if name not in values
            ]
    if env_name("keep_audit") in values and env_name("audit_archive") not in values:
        problems.append(Problem(env_name("audit_archive"), f"is not set, but {env_name('keep_audit')} needs it"))
    ca_file = values.get(env_name("ca_file"))
    if ca_file and not Path(ca_file).is_file():
        problems.append(Problem(env_name("ca_file"), f"there is no file {ca_file}"))
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            place = str(detail["loc"][0]) if detail["loc"] else "settings"
            name = env_name(place) if place in Settings.model_fields else place
            problems.append(Problem(name, "is not set" if detail["type"] == "missing" else sentence(detail)))
        raise Broken(problems) from None
    if problems:
        raise Broken(problems)
    return settings


def environment() -> dict[str, str]:
    """The process's environment, and below it the env file: where names that the files give are looked up."""
    file = _env_file()
    values = {**(dotenv_values(file) if file else {}), **os.environ}
    return {name: value for name, value in values.items() if value is not None}


def paths() -> tuple[Path, Path]:
    """The site file and the access file, even when other settings are wrong."""
    fields, values = Settings.model_fields, _raw_values(_env_file())
    site_file, access_file = (Path(values.get(env_name(name)) or fields[name].default) for name in ("sites", "access"))
    return site_file, access_file


def _env_file() -> str | None:
    path = os.environ.get(ENV_FILE)
    return path if path and os.access(path, os.R_OK) and Path(path).is_file() else None


def _raw_values(env_file: str | None) -> dict[str, str]:
    """What is set, valid or not."""
    values = {**(dotenv_values(env_file) if env_file else {}), **os.environ}
    return {name.upper(): value for name, value in values.items() if value}


# --- docs -----------------------------------------------------------------------------------------------------------


def page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Environment variables, or lines `NAME=value` in the file that `REGISTRY_BOT_ENV_FILE` names (the environment",
        "wins). Unknown names that begin with `REGISTRY_BOT_` are refused; `python -m bot check-config` prints every",
        "problem at once.",
        "",
        "| name | default | meaning |",
        "|---|---|---|",
    ]
    for field, info in Settings.model_fields.items():
        choices = getattr(info.annotation, "__args__", ()) if "Literal" in str(info.annotation) else ()
        choice_words = " One of " + ", ".join(f"`{choice}`" for choice in choices) + "." if choices else ""
        match info.default:
            case _ if info.is_required():
                default = "required"
            case None | "":
                default = ""
            case timedelta(days=days) as span if span and span == timedelta(days=days):
                default = f"`P{days}D`"
            case timedelta() as span:
                default = f"`{span.total_seconds():g}`"
            case value:
                default = f"`{value}`"
        lines.append(f"| `{env_name(field)}` | {default} | {info.description}{choice_words} |")
    return "\n".join([*lines, ""])
