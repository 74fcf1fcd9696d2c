"""Messages that the bot posts without being asked and keeps up to date."""
