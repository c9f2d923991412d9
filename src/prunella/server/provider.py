"""OpenID Connect: what a provider says of somebody, checked before any of it is believed.

Authorization code flow with PKCE (RFC 7636). The ID token's signature is checked against the
provider's published keys, and its issuer, audience, times and nonce against what was asked for
(OpenID Connect Core 1.0, section 3.1.3.7). Only asymmetric signatures are taken.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from prunella.model.directory import Role
from prunella.model.errors import ConfigurationError, PrunellaError
from prunella.model.settings import Settings

#: Signatures that a provider can make and nobody who only knows its public keys or our secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 1_000_000
#: Clocks may differ by so much, in seconds.
_LEEWAY_S = 60
#: What the provider publishes is asked for again after so long, in seconds; its keys also when a token
#: has one that isn't known, not more often than this.
_KNOWN_S, _KEYS_S = 3600.0, 30.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotIdentified(PrunellaError):
    """The provider didn't say who somebody is, or can't be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked of the provider; the browser keeps it until it comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Question":
        return cls(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody is, as the provider says."""

    #: Issuer and subject: what never changes.
    subject: str
    #: What people call them.
    name: str
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class _Rule:
    claim: str
    value: str
    project: str
    role: Role


class Provider:
    """The provider that the settings name. Safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        """Raise `ConfigurationError` for settings that can't work."""
        self._issuer = settings.oidc_issuer
        self._client_id, self._secret = settings.oidc_client_id, settings.oidc_client_secret
        self._rules = read_rules(settings.oidc_roles)
        if not (self._client_id and settings.server_url):
            raise ConfigurationError(
                "the setting oidc_issuer needs oidc_client_id, oidc_roles and server_url, too"
            )
        _check_address("oidc_issuer", self._issuer)
        _check_address("server_url", settings.server_url)
        #: Where the provider sends browsers back to.
        self.callback = settings.server_url.rstrip("/") + "/oidc/callback"
        self._lock = Lock()
        self._known: tuple[Mapping[str, Any], float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    def address(self, question: Question) -> str:
        """Return where a browser is sent to identify somebody; raises `NotIdentified`."""
        challenge = urlsafe_b64encode(sha256(question.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self.callback,
            "scope": "openid profile email",
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._metadata()["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def identify(self, code: str, question: Question) -> Identity:
        """Return who came back with `code`; raises `NotIdentified`."""
        claims = self._claims(self._token(code, question.verifier), question.nonce)
        roles = granted(self._rules, claims)
        if not roles:
            raise NotIdentified(
                "your account has no role here; ask an admin, who sets the setting oidc_roles"
            )
        subject = str(claims["sub"])
        name = next(
            (
                str(claims[claim])
                for claim in ("preferred_username", "email", "sub")
                if isinstance(claims.get(claim), str) and claims[claim]
            ),
            subject,
        )
        return Identity(subject=f"{self._issuer}|{subject}"[:500], name=name, roles=roles)

    def _token(self, code: str, verifier: str) -> str:
        metadata = self._metadata()
        data = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        basic = None
        if self._secret and "client_secret_post" in _ways(metadata):
            data["client_secret"] = self._secret
        elif self._secret:
            basic = (quote(self._client_id, safe=""), quote(self._secret, safe=""))
        answer = self._ask("POST", str(metadata["token_endpoint"]), data=data, basic=basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotIdentified("the provider answered no ID token")
        return token

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = self._decoded(token)
            registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotIdentified(f"the provider's ID token can't be believed: {error}") from error
        audience = claims["aud"]
        if (
            isinstance(audience, list)
            and len(audience) > 1
            and claims.get("azp") != self._client_id
        ):
            raise NotIdentified("the provider's ID token was made for another client")
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._key_set(_KNOWN_S), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, KeyError):
            # The provider may have new keys.
            return jwt.decode(token, self._key_set(_KEYS_S), algorithms=ALGORITHMS).claims

    def _key_set(self, most_s: float) -> KeySet:
        """Return the provider's keys, at most so many seconds old."""
        with self._lock:
            found = self._keys
        if found is not None and monotonic() - found[1] < most_s:
            return found[0]
        keys = KeySet.import_key_set(self._ask("GET", str(self._metadata()["jwks_uri"])))  # type: ignore[arg-type] # read from JSON
        with self._lock:
            self._keys = (keys, monotonic())
        return keys

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            found = self._known
        if found is not None and monotonic() - found[1] < _KNOWN_S:
            return found[0]
        place = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        metadata = self._ask("GET", place)
        if metadata.get("issuer") != self._issuer:
            raise NotIdentified(
                f"the provider says that it is {str(metadata.get('issuer'))[:200]}, and the setting "
                f"oidc_issuer that it is {self._issuer}"
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_address(name, str(metadata.get(name, "")), NotIdentified)
        with self._lock:
            self._known = (metadata, monotonic())
        return metadata

    def _ask(
        self,
        method: str,
        address: str,
        *,
        data: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object at an address of the provider; nothing is followed."""
        try:
            with (
                httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, address, data=data, auth=basic) as answer,
            ):
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise NotIdentified("the provider's answer is too large")
                if answer.status_code != 200:
                    raise NotIdentified(f"the provider answered {answer.status_code}")
        except httpx2.HTTPError as error:
            raise NotIdentified(f"the provider can't be reached: {type(error).__name__}") from error
        return _object(bytes(body))


def read_rules(text: str) -> tuple[_Rule, ...]:
    """Read the setting ``oidc_roles``; raises `ConfigurationError`."""
    rules = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        given, _, gives = each.partition("->")
        claim, _, value = given.strip().partition("=")
        project, _, role = gives.strip().partition("=")
        if not (claim and value and project and role in {"viewer", "operator", "admin"}):
            raise ConfigurationError(
                f"the setting oidc_roles has {each!r}, which isn't like groups=admins->*=admin"
            )
        rules.append(_Rule(claim.strip(), value.strip(), project.strip(), Role[role.upper()]))
    return tuple(rules)


def granted(rules: tuple[_Rule, ...], claims: Mapping[str, Any]) -> dict[str, Role]:
    """Return the roles that claims give: of several for one project, the highest."""
    roles: dict[str, Role] = {}
    for rule in rules:
        if rule.value in _values(claims.get(rule.claim)):
            roles[rule.project] = max(rule.role, roles.get(rule.project, rule.role))
    return roles


def _ways(metadata: Mapping[str, Any]) -> list[Any]:
    """Return how a client may show its secret (OpenID Connect Discovery 1.0, section 3)."""
    ways = metadata.get("token_endpoint_auth_methods_supported")
    return ways if isinstance(ways, list) else ["client_secret_basic"]


def _values(claim: Any) -> set[str]:
    items = claim if isinstance(claim, list) else [claim]
    return {
        str(item).lower() if isinstance(item, bool) else str(item)
        for item in items
        if isinstance(item, str | bool | int)
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise NotIdentified("the provider's answer is no JSON object") from error


def _check_address(name: str, address: str, kind: type[PrunellaError] = ConfigurationError) -> None:
    """Refuse what isn't https, or http on this machine: anybody on the way could be the provider."""
    parts = urlsplit(address)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise kind(f"{name} has to be an https address, not {address[:200]!r}")
