"""A person before the page."""

from typing import Protocol

from playwright.async_api import Locator, Page, ViewportSize

from sandbox.testing.browser import OVERFLOWING


class Reader:
    """One browser tab, and the errors that its scripts raised."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def message(self, words: str) -> Locator:
        """The messages of the channel that hold these words."""
        return self.page.get_by_test_id("messages").locator(".message", has_text=words)

    @property
    def thread(self) -> Locator:
        """The thread pane."""
        return self.page.get_by_test_id("thread-pane")

    @property
    def modal(self) -> Locator:
        """The open modal."""
        return self.page.get_by_test_id("modal")

    async def say(self, words: str) -> None:
        """Type into the channel and send."""
        composer = self.page.get_by_test_id("composer")
        await composer.fill(words)
        await composer.press("Enter")

    async def overflowing(self) -> list[str]:
        """What overflows the window to the right, except for what scrolls on its own."""
        elements: list[str] = await self.page.evaluate(OVERFLOWING)
        return elements


class OpenPage(Protocol):
    """Opens the page as somebody, in a window of its own."""

    async def __call__(self, person: str = ..., channel: str = ..., viewport: ViewportSize = ...) -> Reader:
        """Wait until the channel is shown."""
        ...
