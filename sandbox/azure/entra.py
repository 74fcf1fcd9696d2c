"""Microsoft Entra ID: the token endpoints, the OpenID documents and the managed identity endpoints.

Tokens follow real time, not the sandbox's clock, because the clients that hold them count real seconds.
"""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.azure.cloud import Cloud, Principal

LIFE = 3599
JWT_PARTS = 3
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def _new_key() -> rsa.RSAPrivateKey:
    """One a process: finding its primes takes longer than anything else when a sandbox starts."""
    return rsa.generate_private_key(65537, 2048)


class Signer:
    """An RSA key stored in a file, so that the tokens that clients hold stay valid over a restart."""

    def __init__(self, file: Path) -> None:
        if file.exists():
            key = serialization.load_pem_private_key(file.read_bytes(), None)
        else:
            key = _new_key()
            file.touch(mode=0o600)
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            file.write_bytes(pem)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{file} does not hold an RSA key; remove it")
        self._key, self._public = key, key.public_key()
        self.key_id = base64.urlsafe_b64encode(self._number("n")[:15]).decode()
        self._seen: dict[str, dict[str, Any]] = {}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.key_id, "kid": self.key_id}
        text = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{text}.{_encoded(signature)}"
        self._remember(token, claims)
        return token

    @property
    def signed(self) -> frozenset[str]:
        """The newest tokens that were signed."""
        return frozenset(self._seen)

    def claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token that this key signed, whatever its expiry; None for any other string."""
        if (cached := self._seen.get(token)) is not None:
            return cached
        try:
            text, _, signature = token.rpartition(".")
            self._public.verify(_decoded(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = unverified(token)
        except (InvalidSignature, ValueError):
            return None
        self._remember(token, claims)
        return claims

    def jwk(self) -> dict[str, str]:
        """The public half, as a key of a JWKS document."""
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": _encoded(self._number("n")),
            "e": _encoded(self._number("e")),
        }

    def _remember(self, token: str, claims: dict[str, Any]) -> None:
        if len(self._seen) >= 10_000:  # noqa: PLR2004 - a bound on memory; what is forgotten is verified again
            self._seen.clear()
        self._seen[token] = claims

    def _number(self, name: str) -> bytes:
        value: int = getattr(self._public.public_numbers(), name)
        return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unverified(token: str) -> dict[str, Any]:
    """The claims of a JWT of any signer; raises ValueError if it is not a JWT."""
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        raise ValueError("not a JWT")
    claims = json.loads(_decoded(parts[1]))
    if not isinstance(claims, dict):
        raise ValueError("a JWT's payload is an object")  # noqa: TRY004 - to callers it is a malformed string
    return claims


@dataclass(eq=False)
class EntraError(Exception):
    """A refusal of the token endpoint, with its AADSTS number."""

    status: int
    error: str
    number: int
    message: str

    def body(self) -> dict[str, Any]:
        """As Entra answers."""
        now, trace, correlation = datetime.now(UTC), uuid.uuid4(), uuid.uuid4()
        moment = now.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.message} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {moment}",
            "error_codes": [self.number],
            "timestamp": moment,
            "trace_id": str(trace),
            "correlation_id": str(correlation),
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


class Entra:
    """Issues and checks access tokens for the principals of one tenant."""

    def __init__(self, cloud: Cloud, signer: Signer, life: int = LIFE) -> None:
        self._cloud = cloud
        self._signer = signer
        self._life = life

    def token(self, principal: Principal, audience: str) -> str:
        """An access token for one audience."""
        now, tenant = int(time.time()), self._cloud.tenant
        return self._signer.sign(
            {
                "aud": audience,
                "iss": f"{self._cloud.environment.issuer}/{tenant}/",
                "iat": now,
                "nbf": now,
                "exp": now + self._life,
                "appid": principal.client_id,
                "appidacr": "1",
                "idp": f"{self._cloud.environment.issuer}/{tenant}/",
                "idtyp": "app",
                "oid": principal.oid,
                "sub": principal.oid,
                "tid": tenant,
                "uti": uuid.uuid4().hex[:22],
                "ver": "1.0",
                "xms_cc": ["CP1"],
            }
        )

    async def issue(self, request: web.Request) -> web.Response:
        """POST /{tenant}/oauth2/v2.0/token, and /oauth2/token of version 1."""
        try:
            form = {key: str(value) for key, value in (await request.post()).items()}
            self._know_tenant(request.path.split("/")[1])
            principal = self._caller(form)
            audience = _audience(form, version=2 if "/v2.0/" in request.path.lower() else 1)
        except EntraError as error:
            return web.json_response(error.body(), status=error.status, headers={"Cache-Control": "no-store"})
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self._life,
            "ext_expires_in": self._life,
            "access_token": self.token(principal, audience),
        }
        if "/v2.0/" not in request.path.lower():
            answer |= _version_1(audience, self._life)
        return web.json_response(answer, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def managed_identity(self, request: web.Request) -> web.Response:
        """The App Service and IMDS endpoints: the first principal's token, or that of the requested `client_id`."""
        imds = request.path.lower().startswith("/metadata/identity")
        marked = request.headers.get("Metadata", "").lower() == "true" or "X-IDENTITY-HEADER" in request.headers
        resource = request.query.get("resource", "")
        if not marked or not resource:
            return _identity_refusal("Required metadata header not specified" if not marked else "resource is missing")
        client_id = request.query.get("client_id") or request.query.get("clientid")
        principal = (
            self._cloud.principals.get(client_id.lower()) if client_id else next(iter(self._cloud.principals.values()))
        )
        if principal is None:
            return _identity_refusal("Identity not found")
        answer = _version_1(resource, self._life) | {
            "access_token": self.token(principal, resource),
            "token_type": "Bearer",
            "client_id": principal.client_id,
        }
        if not imds:
            del answer["expires_in"]
        return web.json_response(answer)

    def openid(self, request: web.Request) -> web.Response:
        """The OpenID configuration of a tenant; `common` and its like give this tenant's with a placeholder issuer."""
        tenant = request.path.split("/")[1]
        try:
            self._know_tenant(tenant)
        except EntraError as error:
            return web.json_response(error.body() | {"error": "invalid_tenant"}, status=error.status)
        base = f"https://{request.host}"
        version = "/v2.0" if "/v2.0/" in request.path.lower() else ""
        return web.json_response(
            {
                "token_endpoint": f"{base}/{tenant}/oauth2{version}/token",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "jwks_uri": f"{base}/{tenant}/discovery{version}/keys",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "issuer": f"{base}/{self._cloud.tenant}{version}",
                "authorization_endpoint": f"{base}/{tenant}/oauth2{version}/authorize",
                "device_authorization_endpoint": f"{base}/{tenant}/oauth2{version}/devicecode",
                "end_session_endpoint": f"{base}/{tenant}/oauth2{version}/logout",
                "claims_supported": ["sub", "iss", "aud", "exp", "iat", "appid", "tid", "oid", "ver"],
                "tenant_region_scope": "EU",
                "cloud_instance_name": request.host,
            }
        )

    def keys(self, _request: web.Request) -> web.Response:
        """The JWKS document."""
        return web.json_response({"keys": [self._signer.jwk()]})

    def instances(self, request: web.Request) -> web.Response:
        """Instance discovery: this host is a separate cloud."""
        host = request.host
        return web.json_response(
            {
                "tenant_discovery_endpoint": f"https://{host}/{self._cloud.tenant}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            }
        )

    def _know_tenant(self, tenant: str) -> None:
        if tenant.lower() not in (self._cloud.tenant, "common", "organizations"):
            raise EntraError(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
            )

    def _caller(self, form: dict[str, str]) -> Principal:
        grant = form.get("grant_type", "")
        if grant != "client_credentials":
            raise EntraError(
                400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
            )
        client_id = form.get("client_id", "").lower()
        principal = self._cloud.principals.get(client_id)
        if principal is None:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory "
                f"'{self._cloud.subscription_name}'. This can happen if the application has not been installed by the "
                "administrator of the tenant or consented to by any user in the tenant. You may have sent your "
                "authentication request to the wrong tenant.",
            )
        if "client_assertion" in form:
            _check_assertion(principal, form)
        elif form.get("client_secret") != principal.client_secret or not principal.client_secret:
            raise _bad_secret(principal, form)
        return principal


def _bad_secret(principal: Principal, form: dict[str, str]) -> EntraError:
    if not form.get("client_secret"):
        return EntraError(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    return EntraError(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        f"not the client secret ID, for a secret added to app '{principal.client_id}'.",
    )


def _check_assertion(principal: Principal, form: dict[str, str]) -> None:
    try:
        claims = unverified(form["client_assertion"])
    except ValueError:
        raise EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.") from None
    if form.get("client_assertion_type") != ASSERTION:
        raise EntraError(400, "invalid_request", 900144, "client_assertion_type is missing or not supported.")
    if isinstance(expiry := claims.get("exp"), int | float) and expiry < time.time():
        raise EntraError(
            401,
            "invalid_client",
            700024,
            "Client assertion is not within its valid time range. Current time: "
            f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z, expiry time of assertion: "
            f"{datetime.fromtimestamp(expiry, UTC):%Y-%m-%dT%H:%M:%S}Z.",
        )
    if claims.get("aud") not in (EXCHANGE_AUDIENCE, [EXCHANGE_AUDIENCE]):
        raise EntraError(
            401,
            "invalid_client",
            700212,
            f"No matching federated identity record found for presented assertion audience '{claims.get('aud')}'. "
            "Please check your federated identity credential Subject, Audience and Issuer against the presented "
            "assertion.",
        )
    if claims.get("sub") not in principal.federated_subjects:
        raise EntraError(
            401,
            "invalid_client",
            700213,
            f"No matching federated identity record found for presented assertion subject '{claims.get('sub')}'. "
            "Please check your federated identity credential Subject, Audience and Issuer against the presented "
            "assertion.",
        )


def _audience(form: dict[str, str], version: int) -> str:
    if version == 1:
        if resource := form.get("resource"):
            return resource
        raise EntraError(
            400, "invalid_request", 900144, "The request body must contain the following parameter: 'resource'."
        )
    scope = form.get("scope", "")
    if not scope:
        raise EntraError(
            400, "invalid_request", 900144, "The request body must contain the following parameter: 'scope'."
        )
    resources = [one for one in scope.split() if one not in ("openid", "profile", "offline_access")]
    if len(resources) != 1 or not resources[0].endswith("/.default"):
        raise EntraError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return resources[0].removesuffix("/.default")


def _version_1(resource: str, life: int) -> dict[str, Any]:
    now = int(time.time())
    return {"expires_in": str(life), "expires_on": str(now + life), "not_before": str(now), "resource": resource}


def _identity_refusal(description: str) -> web.Response:
    return web.json_response({"error": "invalid_request", "error_description": description}, status=400)
