"""deploy/compose.yaml, as far as it can be tried without a container engine."""

import re
from pathlib import Path
from typing import Any

import yaml

from bot.settings import ENV_FILE, NAMES

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
CONTENT: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = CONTENT["services"]


def test_what_the_bot_gets_are_settings() -> None:
    settings = {*NAMES, ENV_FILE}

    assert set(SERVICES["bot"]["environment"]) <= {*settings, "KUBECONFIG"}
    assert set(re.findall(r"REGISTRY_BOT_\w+", TEXT)) <= settings


def test_the_address_to_copy_is_the_databases() -> None:
    values = SERVICES["database"]["environment"]

    assert f"postgresql://{values['POSTGRES_USER']}:PASSWORD@database/{values['POSTGRES_DB']}\n" in TEXT


def test_secrets_come_from_files_that_the_repository_ignores() -> None:
    used = {secret for service in SERVICES.values() for secret in service["secrets"]}
    files = {secret["file"] for secret in CONTENT["secrets"].values()}

    assert used == set(CONTENT["secrets"])
    assert all(file.startswith("secrets/") for file in files)
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_paths_of_secrets_lead_to_secrets_that_the_service_has() -> None:
    for service in SERVICES.values():
        paths = [value for value in service["environment"].values() if value.startswith("/run/secrets/")]

        assert {path.removeprefix("/run/secrets/") for path in paths} == set(service["secrets"])


def test_the_bot_waits_until_the_database_answers() -> None:
    assert SERVICES["bot"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "pg_isready" in SERVICES["database"]["healthcheck"]["test"]


def test_volumes_are_declared_and_folders_exist() -> None:
    sources = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}

    assert {source for source in sources if not source.startswith(".")} == set(CONTENT["volumes"])
    assert all((ROOT / "deploy" / source).is_dir() for source in sources if source.startswith("."))


def test_images_are_built_here_or_named_by_their_digest_and_never_with_a_registry() -> None:
    pulled = [service["image"] for service in SERVICES.values() if "build" not in service]

    assert pulled
    assert all(re.fullmatch(r"[\w.:-]+@sha256:[0-9a-f]{64}", image) for image in pulled)
