"""The process: settings, wiring, and Slack's listeners."""

__version__ = "0.1.0"
