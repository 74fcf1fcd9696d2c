"""`python -m sandbox`, run as people run it."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml

from sandbox import world as worlds
from sandbox.tests.contract.edge.operator_at_work import eventually

ROOT = Path(__file__).parents[4]
Run = Callable[..., Awaitable["asyncio.subprocess.Process"]]
NEXT_TO_NOTHING = "print('ran')"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Start the sandbox with free ports at immediate speed; whatever still runs at the end is ended."""
    started = []

    async def start(*arguments: str, port: str = "0", proxy: str = "") -> asyncio.subprocess.Process:
        words = (
            [*arguments[: arguments.index("--")], *_usual(tmp_path, port), *arguments[arguments.index("--") :]]
            if ("--" in arguments)
            else [*arguments, *_usual(tmp_path, port)]
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sandbox",
            *words,
            cwd=ROOT,
            # Not in the test's own environment: what a worker started before would take the proxy as well.
            env={**os.environ, "HTTPS_PROXY": proxy},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _usual(folder: Path, port: str) -> list[str]:
    return ["--port", port, "--speed", "immediate", "--folder", str(folder / "kept"), "--env", str(folder / "env")]


async def read_environment(path: Path) -> dict[str, str]:
    """The environment file's content, once it is there."""

    async def look() -> str:
        return await asyncio.to_thread(lambda: path.read_text() if path.exists() else "")

    lines = (await eventually(look)).splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


async def outcome(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_environment_file_has_what_every_client_needs(run: Run, tmp_path: Path) -> None:
    await run()

    values = await read_environment(tmp_path / "env")

    needed = {
        "SLACK_API_URL",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SANDBOX_URL",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_AUTHORITY_HOST",
        "AZURE_RESOURCE_MANAGER_URL",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "KUBECONFIG",
    }
    assert needed <= values.keys()
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
    assert values["KUBECONFIG"] == str(tmp_path / "kept" / "kubeconfig")


async def test_the_banner_says_where_the_page_is(run: Run) -> None:
    process = await run("--", sys.executable, "-c", NEXT_TO_NOTHING)

    _, out, _ = await outcome(process)

    assert "Slack page   http://127.0.0.1:" in out
    assert "AZURE_CLIENT_ID=" in out


async def test_everything_is_seen_at_a_glance_on_the_slack_port(run: Run, tmp_path: Path) -> None:
    await run()
    values = await read_environment(tmp_path / "env")

    async with aiohttp.ClientSession() as http, http.get(values["SANDBOX_URL"] + "/sandbox/world") as answer:
        world = await answer.json()

    assert world["parts"] == ["slack", "azure", "kube", "edge"]
    names = [edge["name"] for edge in world["edge"]["clusters"]]
    assert names == ["berlin-arc", "hamburg-arc", "lyon-arc", "oslo-arc"]
    assert not world["clock"]["stopped"]


@pytest.mark.parametrize(
    ("part", "has", "lacks"),
    [
        ("slack", "SLACK_API_URL", "KUBECONFIG"),
        ("azure", "AZURE_TENANT_ID", "SLACK_API_URL"),
        ("kube", "KUBECONFIG", "AZURE_TENANT_ID"),
    ],
)
async def test_a_part_can_be_started_alone(run: Run, tmp_path: Path, part: str, has: str, lacks: str) -> None:
    await run(part)

    values = await read_environment(tmp_path / "env")

    assert has in values
    assert lacks not in values
    async with aiohttp.ClientSession() as http, http.get(values["SANDBOX_URL"] + "/sandbox/clock") as answer:
        assert answer.status == 200


async def test_the_edge_brings_along_what_it_needs(run: Run, tmp_path: Path) -> None:
    await run("edge")

    values = await read_environment(tmp_path / "env")

    assert {"AZURE_TENANT_ID", "KUBECONFIG"} <= values.keys()


async def test_an_edge_alone_works_against_parts_of_another_process(run: Run, tmp_path: Path) -> None:
    await run("azure", "kube")
    values = await read_environment(tmp_path / "env")
    (tmp_path / "env").unlink()

    options = ["--azure-url", values["AZURE_RESOURCE_MANAGER_URL"], "--ca-file", values["SSL_CERT_FILE"]]
    await run("edge", *options, "--kubeconfig", values["KUBECONFIG"])

    own = await read_environment(tmp_path / "env")
    async with aiohttp.ClientSession() as http, http.get(own["SANDBOX_URL"] + "/sandbox/edge") as answer:
        assert len((await answer.json())["clusters"]) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(run: Run, tmp_path: Path, number: signal.Signals) -> None:
    process = await run()
    await read_environment(tmp_path / "env")

    process.send_signal(number)

    code, _, err = await outcome(process)
    assert (code, err) == (0, "")


async def test_a_command_gets_the_environment_and_no_proxies(run: Run) -> None:
    script = "import os; print('seen', os.environ['SLACK_BOT_TOKEN'], os.environ.get('HTTPS_PROXY'))"

    process = await run("--", sys.executable, "-c", script, proxy="http://proxy.example")

    _, out, _ = await outcome(process)
    assert "seen xoxb-sandbox-bot-token None" in out


async def test_it_ends_with_the_command_and_its_code(run: Run) -> None:
    process = await run("--", sys.executable, "-c", "raise SystemExit(7)")

    assert (await outcome(process))[0] == 7


async def test_a_command_killed_by_a_signal_gives_a_shells_code(run: Run) -> None:
    process = await run("--", "sh", "-c", "kill -TERM $$")

    assert (await outcome(process))[0] == 128 + signal.SIGTERM


async def test_a_signal_is_handed_on_to_the_command(run: Run, tmp_path: Path) -> None:
    heard, ready = tmp_path / "heard", tmp_path / "ready"
    script = f"trap 'echo heard > {heard}; exit 0' TERM; echo > {ready}; while true; do sleep 0.05; done"
    process = await run("--", "sh", "-c", script)

    async def is_ready() -> bool:
        return ready.exists()

    await eventually(is_ready)
    process.send_signal(signal.SIGTERM)

    assert (await outcome(process))[0] == 0
    assert heard.exists()


async def test_a_command_that_is_not_there_is_said_to_be_so(run: Run) -> None:
    process = await run("--", "no-such-command")

    code, _, err = await outcome(process)

    assert (code, err) == (2, "sandbox: no-such-command: No such file or directory\n")


async def test_a_busy_port_is_explained(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1] - 1)

        code, _, err = await outcome(await run("azure", port=port))

    assert code == 1
    assert "in use" in err
    assert "--port 0" in err


async def test_a_bad_world_file_is_explained_by_its_key(run: Run, tmp_path: Path) -> None:
    content = worlds.load()
    del content["azure"]["registries"][0]["sku"]
    (tmp_path / "world.yaml").write_text(yaml.safe_dump(content))

    code, _, err = await outcome(await run("--world", str(tmp_path / "world.yaml")))

    assert (code, err) == (2, "sandbox: azure.registries[0].sku is missing.\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aws"], "there is no part 'aws'"),
        (["--spede", "people"], "unrecognized arguments: --spede"),
        (["--host", "0.0.0.0"], "only loopback addresses"),  # noqa: S104 - that it is refused is the point
        (["slack", "--azure-url", "https://127.0.0.1:1", "--kubeconfig", "x"], "part edge alone"),
        (["edge", "--ca-file", "x"], "must be given together"),
        (["slack", "--request-url", "127.0.0.1:3000"], "must begin with http:// or https://"),
    ],
)
async def test_options_that_make_no_sense_are_explained(run: Run, words: list[str], says: str) -> None:
    code, _, err = await outcome(await run(*words))

    assert code == 2
    assert says in err
