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
        Code.TLS_SECRET_GOES: FindingWords(
            "The Secret {secret} goes with the namespace {namespace}, and the new installation waits for it.",
            "Keep its files, and create it again as soon as the namespace is back.",
            "kubectl create secret generic {secret} --namespace {namespace} --from-file ca.crt --from-file tls.crt"
            " --from-file tls.key",
        ),
    },
)
