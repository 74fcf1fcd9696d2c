"""The process: settings, wiring, and Slack's listeners."""
