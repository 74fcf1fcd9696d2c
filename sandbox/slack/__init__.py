"""A Slack workspace: Web API, Socket Mode, HTTP delivery, people who act, and a page."""

from sandbox.slack.part import SlackPart
from sandbox.slack.values import Timing

__all__ = ["SlackPart", "Timing"]
