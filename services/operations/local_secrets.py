"""Secrets that the site file names by a file or a variable: read where they are used, kept nowhere."""

from collections.abc import Mapping
from pathlib import Path

from services.model.secret import Secret
from services.policy.sites import SourceRegistry


def password_of(source: SourceRegistry, environment: Mapping[str, str]) -> Secret:
    """The password of a source with credentials. Raises `ValueError` with a clause that says why there is none."""
    return secret_of(source.password_file, source.password_variable, environment)


def secret_of(file: str, variable: str, environment: Mapping[str, str]) -> Secret:
    """What the variable holds, or the file where no variable is named. Raises `ValueError` as above."""
    if variable:
        text, reason = environment.get(variable, ""), f"the environment variable {variable} is not set"
    else:
        try:
            text, reason = Path(file).read_text(encoding="utf-8"), f"{file} is empty"
        except OSError as error:
            text, reason = "", f"{file}: {error.strerror}"
        except UnicodeDecodeError:
            text, reason = "", f"{file} is not text"
    if not text.strip():
        raise ValueError(reason)
    return Secret(text.strip())
