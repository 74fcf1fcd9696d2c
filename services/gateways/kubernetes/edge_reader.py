"""The program that runs in a Pod of a Job and asks a connected registry what its repositories hold.

Any Python from 3.10 on runs it with its standard library alone. Its one argument is a JSON object: `server` is the
registry's address, `account` the entry of the pull secrets that counts, `repositories` has for each one the environment
variable with the pull secret that may read it, and `tags` are the only ones to look at, or empty for all. It prints a
line of JSON for each tag, and one at the end of each repository: with the number of its tags, or with an `error`. No
password and no token is printed.

Paths and scopes: Azure/acr, quickstart-view-connected-registry-repos-and-tags. A Pod does not know the authority that
has signed the registry's certificate, so the certificate is not verified; what is sent there can only read images.
"""

import base64
import hashlib
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT, LONGEST = 10.0, 40.0
"""Seconds for one request, and for all of them."""
PAGE, MAX_TAGS = 100, 2000
"""Tags in one answer, and in one repository."""
NOT_FOUND = 404
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class UnansweredError(Exception):
    """There is no answer about a repository: a code of `services.model.contents.EdgeSilence`, and a detail."""


class Registry:
    """One repository of the connected registry at `server`, to be asked until `end` (of `time.monotonic`)."""

    def __init__(self, server: str, repository: str, credentials: str, end: float) -> None:
        self.server, self.repository, self.end = server, repository, end
        # Not the default context: it loads all public authorities, most of what the Pod would do, and none is used.
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.has_next = False
        scope = urllib.parse.urlencode({"service": server, "scope": f"repository:{repository}:pull"})
        answer = self.get(f"/acr/oauth2/token?{scope}", f"Basic {credentials}")
        self.authorization = f"Bearer {json.loads(answer)['access_token']}"

    def get(self, path: str, authorization: str, method: str = "GET") -> bytes:
        """The body of an answer; raises `HTTPError` for a refusal."""
        if time.monotonic() > self.end:
            raise UnansweredError("Unreachable", f"not finished in {LONGEST:g} s")
        headers = {"Authorization": authorization, "Accept": ", ".join((*MANIFESTS, "application/json"))}
        host = f"[{self.server}]" if ":" in self.server else self.server
        request = urllib.request.Request(f"https://{host}{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=self.context) as answer:  # noqa: S310 - https
            content: bytes = answer.read()
            self.has_next = "Link" in answer.headers
            return content

    def find(self, reference: str, method: str = "GET") -> bytes | None:
        """A manifest; None where there is none."""
        try:
            return self.get(f"/v2/{self.repository}/manifests/{reference}", self.authorization, method)
        except urllib.error.HTTPError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    def tags(self) -> list[str]:
        """The names of all tags; none where there is no such repository."""
        names: list[str] = []
        while True:
            query = urllib.parse.urlencode({"n": PAGE, **({"last": names[-1]} if names else {})})
            try:
                answer = self.get(f"/v2/{self.repository}/tags/list?{query}", self.authorization)
            except urllib.error.HTTPError as error:
                if error.code == NOT_FOUND:
                    return names
                raise
            page = json.loads(answer).get("tags") or []
            names += page
            if not page or not self.has_next:
                return names
            if len(names) > MAX_TAGS:
                raise UnansweredError("Unreadable", f"it has more than {MAX_TAGS} tags")


def basic(secret: str, account: str) -> str:
    """The credentials for an account in a pull secret, as `kubectl create secret docker-registry` makes it."""
    if not secret:
        raise UnansweredError("NoReader", "the pull secret is not there")
    entry = json.loads(secret)["auths"].get(account)
    if entry is None:
        raise UnansweredError("NoReader", f"the pull secret is not for {account}")
    return base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode()


def look(registry: Registry, tags: list[str]) -> int:
    """Print what a repository has; the number of tags."""
    count, repository = 0, registry.repository
    for name in tags or registry.tags():
        content = registry.find(name)
        # It may have gone since the list was read.
        if content is None:
            continue
        children = [entry["digest"] for entry in json.loads(content).get("manifests") or ()]
        missing = [digest for digest in children if registry.find(digest, "HEAD") is None]
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        say({"repository": repository, "tag": name, "digest": digest, "missing": missing})
        count += 1
    return count


def say(line: dict[str, object]) -> None:
    """One line of the answer."""
    sys.stdout.write(f"{json.dumps(line)}\n")


def main(argument: str) -> None:
    """Look at each repository; one that gives no answer does not keep the others from theirs."""
    question, end = json.loads(argument), time.monotonic() + LONGEST
    for repository, variable in question["repositories"].items():
        try:
            credentials = basic(os.environ.get(variable, ""), question["account"])
            registry = Registry(question["server"], repository, credentials, end)
            say({"repository": repository, "tags": look(registry, question["tags"])})
        except UnansweredError as error:
            say({"repository": repository, "error": error.args[0], "detail": error.args[1]})
        except urllib.error.HTTPError as error:
            say({"repository": repository, "error": "Refused", "detail": f"HTTP {error.code} {error.reason}"})
        except OSError as error:
            reason = getattr(error, "reason", "") or error
            say({"repository": repository, "error": "Unreachable", "detail": f"{type(reason).__name__}: {reason}"})
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            say({"repository": repository, "error": "Unreadable", "detail": type(error).__name__})


if __name__ == "__main__":
    main(sys.argv[1])
