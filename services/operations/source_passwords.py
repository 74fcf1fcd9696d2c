"""Passwords of registries from which images are imported: read where they are used, kept nowhere."""

from collections.abc import Mapping
from pathlib import Path

from services.model.secret import Secret
from services.policy.sites import SourceRegistry


def password_of(source: SourceRegistry, environment: Mapping[str, str]) -> Secret:
    """The password of a source with credentials. Raises `ValueError` with a clause that says why there is none."""
    if source.password_variable:
        text = environment.get(source.password_variable, "")
        reason = f"the environment variable {source.password_variable} is not set"
    else:
        try:
            text, reason = Path(source.password_file).read_text(encoding="utf-8"), f"{source.password_file} is empty"
        except OSError as error:
            text, reason = "", f"{source.password_file}: {error.strerror}"
        except UnicodeDecodeError:
            text, reason = "", f"{source.password_file} is not text"
    if not text.strip():
        raise ValueError(reason)
    return Secret(text.strip())
