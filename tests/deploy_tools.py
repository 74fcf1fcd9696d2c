"""The programs that check what stands in `deploy/`; tests that need one are skipped without it."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

MODULES = Path(__file__).parents[1] / "tools"


def program(name: str) -> Path:
    """From the PATH, or from the folder that `make deploy-tools` builds into; skips the test where it is in neither."""
    module = MODULES / name / "go.mod"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256(module.read_bytes()).hexdigest()[:16]
    built = cache / "registry-bot" / "deploy-tools" / mark / name
    if os.access(built, os.X_OK):
        return built
    if installed := shutil.which(name):
        return Path(installed)
    pytest.skip(f"no {name}: `make deploy-tools` builds it (it needs Go)")
