"""Slack: connection, people, replies."""
