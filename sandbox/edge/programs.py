"""Containers that really run: Python programs in Pods that end, as children of the sandbox.

Such a program is code that somebody with the cluster's credentials wrote, as in any cluster. It gets none of the
sandbox's environment, an empty folder, and a proxy to the cluster's connected registries.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from sandbox.edge import pods

Object = dict[str, Any]
LONGEST = 60.0
"""Seconds after which a program is killed."""
KILLED = 137


def is_python(image: str) -> bool:
    """Whether an image is one of Python, such as `mcr.microsoft.com/azurelinux/distroless/python:3.12`."""
    return pods.image(image).repository.rpartition("/")[2] == "python"


def arguments(pod: Object) -> list[str]:
    """What the interpreter of a Pod's first container is given; empty where the Pod has no program that really runs."""
    container = pod["spec"]["containers"][0]
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    is_program = is_python(container["image"]) and bool(words) and words[0].rpartition("/")[2].startswith("python")
    return words[1:] if is_program and pod["spec"].get("restartPolicy", "Always") != "Always" else []


async def run(words: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code and the log of a program."""
    with tempfile.TemporaryDirectory(prefix="sandbox-container-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=folder,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(LONGEST):
                output, _ = await process.communicate()
        except TimeoutError:
            return KILLED, ""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return process.returncode or 0, output.decode(errors="replace")
