"""Refusals of a registry's data plane."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(eq=False)
class DataError(Exception):
    """A refusal in the form of the OCI distribution specification."""

    status: int
    code: str
    message: str
    detail: Any = None
    challenge: str | None = None
    allowed: tuple[str, ...] = ()
    """Allowed methods, when the request's method is refused."""

    def response(self) -> web.Response:
        """The answer."""
        body = {"errors": [{"code": self.code, "message": self.message, "detail": self.detail}]}
        headers = {"WWW-Authenticate": self.challenge, "Allow": ", ".join(self.allowed)}
        return web.json_response(
            body, status=self.status, headers={name: value for name, value in headers.items() if value}
        )
