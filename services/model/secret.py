"""A value that must not be seen: not in a message, a log, an error text, a process argument or the database."""


class Secret:
    """Holds a secret text; `reveal` is the one way to it, so that a search for `.reveal(` finds every use."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not to be written anywhere")
