"""Messages that the bot posts of its own accord and keeps up to date."""
