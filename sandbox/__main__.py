"""`python -m sandbox`: starts the stand-ins, prints their addresses, and runs until interrupted or a command ends."""

import argparse
import asyncio
import contextlib
import errno
import ipaddress
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from sandbox import environment, world
from sandbox.controlplane import assets
from sandbox.parts import PARTS, PartName, Ports, Upstream
from sandbox.speed import SPEEDS

if TYPE_CHECKING:
    from sandbox.compose import Sandbox
    from sandbox.fleet import Size

BASE_PORT = 8700
LOGIN_SERVERS = "what ARM gives as a registry's login server: its address here, or its name (default: addresses)"
CONTROL_PLANE = (
    "real API servers, not stand-ins: a folder with their programs, or `real` for what make kube-assets built"
)
GRACE = 60
"""Seconds that a command has to end after a signal: several bots on a busy machine need tens of them to hand over their
work, and the database server below them is stopped after that. A second signal kills it at once."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
WRONG_USE, FAILED = 2, 1
HIGHEST_BASE = 65_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox. Returns the command's exit code if a command was given, else 0."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, command = _split(words)
    options = _parser().parse_args(words)
    options.command = command
    try:
        return asyncio.run(_serve(options))
    except (world.WorldError, OptionError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return WRONG_USE
    except OSError as error:
        sys.stderr.write(f"sandbox: {_start_failure(error, options.port)}\n")
        return FAILED


class OptionError(Exception):
    """Options that contradict each other, or a file that can't be used."""


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Split the arguments into options and the command after `--`."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"sandbox: {message}\nTry: python -m sandbox --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m sandbox",
        usage="python -m sandbox [slack] [azure] [kube] [edge] [options] [-- COMMAND ...]",
        description="Stand-ins for Slack, Azure and Kubernetes on the loopback interface. Without a part: all of them.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"which parts to start: {', '.join(PARTS)}")
    add("--world", type=Path, metavar="FILE", help="what there is at the start (default: sandbox/world.yaml)")
    add("--folder", type=Path, metavar="DIR", help="where CA and kubeconfig are kept (default: a temporary folder)")
    add("--env", type=Path, metavar="FILE", help="write KEY=VALUE lines for clients into this file")
    add("--speed", choices=sorted(SPEEDS), default="people", help="how long operations take (default: people)")
    add("--port", type=int, default=BASE_PORT, metavar="BASE", help="first port, 0 for any (default: 8700)")
    add("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    add("--request-url", metavar="URL", help="deliver to the Slack app by HTTP at this address, not by Socket Mode")
    add("--manifest", type=Path, metavar="FILE", help="the Slack app's manifest, YAML or JSON")
    add("--login-servers", choices=("names", "addresses"), default="addresses", help=LOGIN_SERVERS)
    add("--control-plane", metavar="DIR", help=CONTROL_PLANE)
    add("--cloud", choices=world.CLOUDS, help="which of Azure's clouds it is (default: the world's, or public)")
    add("--fleet", metavar="NxM", help="N more connected registries over M cloud registries, such as 200x4")
    add("--azure-url", metavar="URL", help="edge alone: the address of Azure's stand-in")
    add("--ca-file", type=Path, metavar="FILE", help="edge alone: the CA that it trusts")
    add("--kubeconfig", type=Path, metavar="FILE", help="edge alone: contexts CLUSTER-admin of the clusters")
    return parser


async def _serve(options: argparse.Namespace) -> int:
    """Start everything, then wait for a signal or for the command to end."""
    signals = asyncio.Queue[signal.Signals]()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, signals.put_nowait, number)
    async with _sandbox(options) as sandbox:
        values = sandbox.environment()
        if options.env is not None:
            environment.write(options.env, values)
        sys.stdout.write(_banner(sandbox, options) + "\n")
        sys.stdout.flush()
        if not options.command:
            await signals.get()
            return 0
        return await _run_command(options.command, values, signals)


def _sandbox(options: argparse.Namespace) -> "Sandbox":
    upstream = _upstream(options)
    parts = _parts(options.parts, alone=upstream is not None)
    if not 0 <= options.port <= HIGHEST_BASE:
        raise OptionError(f"--port must be 0 or at most {HIGHEST_BASE}.")
    if not _is_loopback(options.host):
        raise OptionError(f"--host {options.host}: only loopback addresses are allowed; nothing here is protected.")
    if options.request_url and not options.request_url.startswith(("http://", "https://")):
        raise OptionError(f"--request-url {options.request_url}: it must begin with http:// or https://.")
    control_plane = _control_plane(options.control_plane)
    content, manifest, fleet = world.load(options.world), _manifest(options.manifest), _fleet(options.fleet)
    if options.cloud is not None:
        content["azure"] = content["azure"] | {"cloud": options.cloud}
    if fleet is not None and "azure" not in parts:
        raise OptionError("--fleet needs the part azure.")
    # Importing the official Kubernetes client takes a second, which --help and wrong options need not wait for.
    from sandbox.compose import Sandbox  # noqa: PLC0415

    options.folder = options.folder or Path(tempfile.mkdtemp(prefix="sandbox-"))
    return Sandbox(
        content,
        folder=options.folder.absolute(),
        speed=SPEEDS[options.speed],
        parts=parts,
        ports=Ports.from_base(options.port),
        host=options.host,
        request_url=options.request_url,
        manifest=manifest,
        login_servers=options.login_servers,
        upstream=upstream,
        control_plane=control_plane,
        fleet=fleet,
    )


def _parts(words: list[str], *, alone: bool) -> list[PartName]:
    """The chosen parts. The edge adds the parts that it needs, unless it runs alone."""
    if unknown := [word for word in words if word not in PARTS]:
        raise OptionError(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}.")
    chosen = set(words or PARTS)
    if "edge" in chosen and not alone:
        chosen |= {"azure", "kube"}
    return [part for part in PARTS if part in chosen]


def _upstream(options: argparse.Namespace) -> Upstream | None:
    if options.azure_url is None and options.kubeconfig is None and options.ca_file is None:
        return None
    if options.azure_url is None or options.kubeconfig is None:
        raise OptionError(
            "--azure-url and --kubeconfig must be given together (with --ca-file if the address is https)."
        )
    if set(options.parts) != {"edge"}:
        raise OptionError("--azure-url, --ca-file and --kubeconfig can only be used with the part edge alone.")
    return Upstream(options.azure_url, options.kubeconfig, options.ca_file)


def _control_plane(named: str | None) -> Path | None:
    """The folder of the programs of a real control plane."""
    if named is None:
        return None
    try:
        return assets.locate(None if named == "real" else Path(named).absolute())
    except assets.AssetsMissingError as error:
        raise OptionError(f"--control-plane {named}: {error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _fleet(text: str | None) -> "Size | None":
    if text is None:
        return None
    # This imports all of Azure's stand-in, which --help and wrong options need not wait for.
    from sandbox.fleet import Size  # noqa: PLC0415

    try:
        return Size.parse(text)
    except ValueError as error:
        raise OptionError(f"--fleet: {error}") from error


def _manifest(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise OptionError(f"--manifest {path}: {error}") from error
    if not isinstance(manifest, dict):
        raise OptionError(f"--manifest {path}: it must be a mapping.")
    return manifest


async def _run_command(command: list[str], values: dict[str, str], signals: asyncio.Queue[signal.Signals]) -> int:
    """Run a command in its own session until it ends. The first signal is passed on to it, a second one kills it."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment.for_command(values, os.environ), start_new_session=True
        )
    except OSError as error:
        raise OptionError(f"{command[0]}: {error.strerror}") from error
    end, first = asyncio.create_task(process.wait()), asyncio.create_task(signals.get())
    await asyncio.wait({end, first}, return_when=asyncio.FIRST_COMPLETED)
    if not first.done():
        first.cancel()
        code = process.returncode or 0
        return code if code >= 0 else 128 - code
    _send(process, first.result())
    second = asyncio.create_task(signals.get())
    await asyncio.wait({end, second}, timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
    second.cancel()
    _send(process, signal.SIGKILL)
    await end
    return 0


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _banner(sandbox: "Sandbox", options: argparse.Namespace) -> str:
    lines = ["", "The sandbox is up."]
    if sandbox.slack is not None:
        lines.append(f"  Slack page   {sandbox.url}/")
    lines += [f"  Control API  {sandbox.url}/sandbox/world", f"  Files        {options.folder}", ""]
    lines += [f"  {key}={value}" for key, value in sandbox.environment().items() if key != "SANDBOX_URL"]
    if options.env is not None:
        lines += ["", f"For another shell: set -a; . {options.env}; set +a"]
    if options.command:
        lines += ["", f"Running: {' '.join(options.command)}"]
    if sandbox.slack is not None:
        lines += ["", f"Open {sandbox.url}/ in a browser."]
    return "\n".join([*lines, "Ctrl-C ends it.", ""])


def _start_failure(error: OSError, base: int) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"{error}"
    return (
        f"a port is in use already ({error.strerror}). Start with --port 0 for free ones, or a base other than {base}."
    )


if __name__ == "__main__":
    sys.exit(main())
