"""The line that a person would have typed in place of a step, every value quoted for the shell."""

import shlex
from collections.abc import Iterable


def command_line(words: str, *values: object, **options: object) -> str:
    """`words` as they are, `values` after them, then the options in their order.

    `storage_class="fast"` is `--storage-class fast`; `yes=True` is `--yes`; several values of a tuple follow their
    option. What is None or empty is left out.
    """
    parts = [words, *(shlex.quote(str(value)) for value in values)]
    for name, value in options.items():
        if value is None or value in ("", ()):
            continue
        parts.append(f"--{name.replace('_', '-')}")
        if value is not True:
            arguments = value if isinstance(value, tuple | list) else (value,)
            parts += [shlex.quote(str(argument)) for argument in arguments]
    return " ".join(parts)


def lines(commands: Iterable[str]) -> str:
    """The commands one below the other, without repetitions."""
    return "\n".join(dict.fromkeys(filter(None, commands)))
