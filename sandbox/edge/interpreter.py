"""A Python that is loaded once, and forked for each program that `python -I -c PROGRAM ARGUMENT...` would run.

A fresh interpreter takes a tenth of a second of processor time until it has TLS, and a question to a thousand edges is
a thousand of them. It reads a line of JSON for each program (`id`, the `words` behind `-c`, `environment`, `folder` and
the file of its `log`) or for one to be killed (`kill`, an id), and writes a line when a program has ended (`id` and its
exit `code`). It ends, and its programs with it, when its standard input does.
"""

import base64  # noqa: F401 - loaded for the programs, as are hashlib, ssl and urllib.request
import hashlib  # noqa: F401
import json
import os
import selectors
import signal
import ssl  # noqa: F401
import sys
import traceback
import urllib.request  # noqa: F401
from typing import Any

_CHUNK = 65_536


def main() -> None:
    """Serve standard input until its end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
    selector.register(reader, selectors.EVENT_READ)
    programs: dict[int, int] = {}
    received = b""
    while True:
        for key, _ in selector.select():
            if key.fd == reader:
                os.read(reader, _CHUNK)
                continue
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                for process in programs:
                    os.kill(process, signal.SIGKILL)
                return
            *lines, received = (received + chunk).split(b"\n")
            for line in lines:
                _obey(json.loads(line), programs)
        _report(programs)


def _obey(order: dict[str, Any], programs: dict[int, int]) -> None:
    if "kill" in order:
        for process in [process for process, number in programs.items() if number == order["kill"]]:
            os.kill(process, signal.SIGKILL)
        return
    if process := os.fork():
        programs[process] = order["id"]
        return
    code = 1
    try:
        code = _run(**order)
    finally:
        os._exit(code)


def _report(programs: dict[int, int]) -> None:
    """Tell of all that have ended."""
    while programs:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        line = json.dumps({"id": programs.pop(process), "code": os.waitstatus_to_exitcode(status)})
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def _run(words: list[str], environment: dict[str, str], folder: str, log: str, **_: object) -> int:
    """The program, in the process that was forked for it; its exit code."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output, nothing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 64)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    program, *arguments = words
    sys.argv = ["-c", *arguments]
    code = 0
    try:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})  # noqa: S102
    except SystemExit as end:
        code = _exit_code(end.code)
    except BaseException:  # noqa: BLE001 - as the interpreter does with what nobody catches
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _exit_code(value: object) -> int:
    """Of `sys.exit`: nothing is success, a number itself, and anything else is printed and is a failure."""
    if value is None or isinstance(value, int):
        return value or 0
    sys.stderr.write(f"{value}\n")
    return 1


if __name__ == "__main__":
    main()
