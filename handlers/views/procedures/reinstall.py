"""A reinstallation of an extension, as people read it."""

from dataclasses import replace

from handlers.views.procedures import deactivate, deploy, remove
from handlers.views.procedures.words import FindingWords
from services.operations.reinstall.request import Code

_WORDS = deploy.EXTENSION_WORDS
WORDS = replace(
    _WORDS,
    title="Reinstall the extension of {target} at {site}",
    steps={**remove.WORDS.steps, **deactivate.WORDS.steps, **_WORDS.steps},
    causes={**remove.WORDS.causes, **deactivate.WORDS.causes, **_WORDS.causes},
    findings={
        **remove.WORDS.findings,
        **_WORDS.findings,
        Code.OWNER_UNCLEAR: FindingWords(
            "Azure does not show whether the extension {extension} at {site} runs {name}.",
            "If it does, delete it first.",
            command="extension delete {name} --site {site} --extension {extension} --dry-run",
        ),
        Code.EXTENSION_GOES: FindingWords(
            "The extension {extension} is deleted with its volume. Until {name} is online again nobody can pull from"
            " it, and it syncs all its images again."
        ),
        Code.SETTINGS_LOST: FindingWords(
            "These settings of the extension go with it, and the new one gets the site's: {settings}.",
            "Give them again afterwards: `extension update`.",
        ),
    },
)
