"""`python -m bench.pictures FOLDER`: what people read on a phone, as pictures of the sandbox's page.

A bot and a sandbox run in ROOT, which may be the work tree of an earlier commit: so a change of the cards can be looked
at side by side.
"""

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil
from playwright.async_api import Browser, ViewportSize, async_playwright

from bench.stage import ROOT, Sandbox
from sandbox.environment import for_command
from sandbox.testing.browser import ARGUMENTS, find_chromium

PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 120.0
"""Seconds after which something that should happen is given up."""
LOOK, STILL = 0.2, 1.0
"""Seconds between two looks, and for which a page is left alone until nothing moves on it any more."""
CHANNEL = "edge-ops"
HOUR = 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures; the exit code is 1 where there is no Chromium."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the PNG files go")
    parser.add_argument("--root", type=Path, default=ROOT, help="the work tree whose bot and sandbox run")
    parser.add_argument("--prefix", default="", help="what the files' names begin with")
    options = parser.parse_args(arguments)
    program = find_chromium()
    if program is None:
        sys.stderr.write("There is no Chromium on this machine: install Debian's package chromium.\n")
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(program, options.root.resolve(), options.folder, options.prefix))
    return 0


async def _take(program: str, root: Path, folder: Path, prefix: str) -> None:
    async with _running(root) as box, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        async for name, person in _scenes(box):
            file = folder / f"{prefix}{name}.png"
            await _photograph(browser, f"{box.environment['SANDBOX_URL']}/?as={person}&channel={CHANNEL}", file)
            sys.stdout.write(f"{file}\n")
        await browser.close()


async def _scenes(box: Sandbox) -> AsyncIterator[tuple[str, str]]:
    """What happens in the channel; whenever there is something to see, its name and who looks at it."""
    await box.say("deploy edge01 --site berlin", channel=CHANNEL)
    await _click(box, "Approve", "edge01")
    await _newest(box, "edge01", "online, approved by bob")
    await box.say("deploy edge02 --site hamburg", channel=CHANNEL)
    await _newest(box, "edge02", '"Approve"')
    yield "plan", "bob"
    await box.post("edge/hamburg", scenario="service-ip-taken", times=1)
    await _click(box, "Approve", "edge02")
    await _newest(box, "edge02", "failed, approved by bob")
    yield "failed", "alice"
    await box.say("list", channel=CHANNEL)
    await _newest(box, "2 connected registries", person="alice")
    yield "list", "alice"
    await box.say("show edge01 --site berlin", channel=CHANNEL)
    await _newest(box, "edge01", "Runtime", person="alice")
    yield "show", "alice"
    await box.say("watch berlin --every '0 9 * * 1-5'", channel=CHANNEL)
    await _click(box, "Save", "berlin", person="alice")
    await _newest(box, "berlin", "This channel", '"Summary now"')
    await box.post("edge/berlin", offline=True)
    await box.post("clock", turn=HOUR)
    await _newest(box, "edge01", '"Acknowledge"')
    yield "alert", "bob"
    await box.say("watches --now", channel=CHANNEL)
    await _newest(box, "Summary of")
    yield "summary", "bob"


async def _click(box: Sandbox, label: str, subject: str, person: str = "bob") -> None:
    """Press a button on the newest message that has it and names the subject."""
    await box.click(await _newest(box, subject, f'"{label}"', person=person), label, as_=person, channel=CHANNEL)


async def _newest(box: Sandbox, *words: str, person: str = "bob") -> Any:
    """The newest message with all these words in its text or on its buttons, as soon as there is one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for message in reversed(await box.messages(CHANNEL, person)):
                content = json.dumps(message)
                if all(word in content or json.dumps(word)[1:-1] in content for word in words):
                    return message
            await asyncio.sleep(LOOK)


async def _photograph(browser: Browser, address: str, file: Path) -> None:
    """What a phone shows when the channel is opened."""
    context = await browser.new_context(viewport=PHONE, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(address)
    await page.get_by_test_id("messages").locator(".message").last.wait_for()
    await asyncio.sleep(STILL)
    await page.screenshot(path=file)
    await context.close()


@asynccontextmanager
async def _running(root: Path) -> AsyncIterator[Sandbox]:
    """A sandbox with a bot in a new world, as `make sandbox` starts them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--manifest", "manifest.yml", "--folder", name]
        command += ["--env", str(folder / "env"), "--", sys.executable, "-m", "bot", "run"]
        own = {"REGISTRY_BOT_ENV_FILE": "config/sandbox/bot.env", "REGISTRY_BOT_DATA_DIR": f"{folder}/data"}
        environment = for_command(own, os.environ)
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*command, cwd=root, env=environment, stdout=log, stderr=log)
        try:
            async with asyncio.timeout(PATIENCE):
                while " ready " not in (output := (folder / "log").read_text(encoding="utf-8")):
                    if process.returncode is not None:
                        raise RuntimeError(output)
                    await asyncio.sleep(LOOK)
            lines = (line.partition("=") for line in (folder / "env").read_text(encoding="utf-8").splitlines())
            values = {key: "".join(shlex.split(value)) for key, _, value in lines}
            async with aiohttp.ClientSession(values["SANDBOX_URL"]) as http:
                yield Sandbox(values, http, psutil.Process(process.pid))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


if __name__ == "__main__":
    sys.exit(main())
