"""The registration of resource providers, as people read it."""

from collections.abc import Iterable

from handlers.kit.language import t
from handlers.kit.text import escape, listed
from handlers.views.procedures.words import FindingWords, ProcedureWords, StepWords
from services.model.operation import Operation
from services.operations.providers.request import Code

REGISTRATION = StepWords("Registration of resource providers", lambda params: ", ".join(params["namespaces"]))


def _fields(operation: Operation) -> Iterable[tuple[str, str]]:
    for step in operation.planned:
        namespaces = step.params["namespaces"]
        yield t("Registered"), listed(map(escape, namespaces if isinstance(namespaces, tuple) else ()))


WORDS = ProcedureWords(
    title="Register resource providers for {target}",
    success="registered",
    idle="registered already",
    nothing=lambda _operation: t("There was nothing to do: all of them are registered in the subscription."),
    steps={"provider.register": REGISTRATION},
    fields=_fields,
    findings={
        Code.REGISTERED: FindingWords("They are registered: {providers}."),
        Code.TO_REGISTER: FindingWords("Not registered yet: {missing}. It takes up to ten minutes."),
    },
)
