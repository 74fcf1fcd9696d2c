"""A browser for tests of the page."""

import os
import shutil

from playwright.sync_api import sync_playwright

PATIENCE = 60_000
"""Milliseconds that a page may take to show something, on a machine that is busy with other things."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
)
"""For a Chromium that runs as any user and requests nothing but the page."""

OVERFLOWING = """() => {
  const scrolling = ".table-frame, .carousel-track, .unseen, .popup";
  const out = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
  for (const element of document.querySelectorAll(".message *, dialog *, .sidebar *, .head *")) {
    const box = element.getBoundingClientRect();
    const overflows = box.width && box.right > innerWidth + 1;
    if (overflows && !element.closest(scrolling)) out.push(element.outerHTML.slice(0, 80));
  }
  return out;
}"""
"""Evaluated in the page, lists what overflows the window to the right, except for what scrolls on its own."""


def find_chromium() -> str | None:
    """Path of a Chromium: the system's, or the one that Playwright has downloaded."""
    if program := next((path for path in map(shutil.which, PROGRAMS) if path), None):
        return program
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    return downloaded if os.access(downloaded, os.X_OK) else None
