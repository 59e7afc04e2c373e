"""Tokens (JWT) of an identity provider: checked against the keys that it publishes, which are fetched and kept."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

import jwt
from jwt import PyJWK, PyJWKClient

from harken.jobs.errors import InvalidKey
from harken.jobs.owners.keys import check_owner
from harken.jobs.owners.scope import Scope
from harken.server.caller import Caller
from harken.server.errors import KeysUnknown, Unauthenticated
from harken.settings import Settings

LOG = logging.getLogger(__name__)

# By a pair of keys: with a shared secret whoever checks a token could make one too, and what is public were the secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
ANSWER_WITHIN_S = 5.0
FETCHED_AGAIN_AFTER_S = 300.0  # a key that the provider has withdrawn is taken for no longer
FETCHED_EVERY_S = (
    10.0  # for a key that is not known, so that made-up tokens do not burden the provider
)
LEEWAY_S = 30  # that clocks may differ by
MOST_REMEMBERED = 10_000  # tokens that were found good; checking a signature takes 0.1 ms
SCOPE_PREFIX = (
    "harken:"  # may stand before a scope, where a provider's scopes are for many services
)


class Provider:
    """One identity provider, by its issuer."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._keys_url = settings.jwt_keys_url
        self._owner_claim = settings.jwt_owner_claim
        self._scope_claim = settings.jwt_scope_claim
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def caller(self, token: str) -> Caller:
        """Whose token this is. Raises Unauthenticated, and KeysUnknown while the provider does not answer."""
        digest = hashlib.sha256(token.encode()).digest()
        caller, known_since = self._known.get(digest, (None, 0.0))
        if caller is None or known_since < self._fetched_at or self._outdated():
            caller = self._caller(token, await self._key_of(token))
            while len(self._known) >= MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[digest] = caller, time.monotonic()
        if refusal := self.refusal(caller):
            self._known.pop(digest, None)
            raise refusal
        return caller

    def refusal(self, caller: Caller) -> Unauthenticated | None:
        """Why a caller who was let in before is not any more; None while the token holds."""
        if caller.expire_time is not None and caller.expire_time <= datetime.now(UTC):
            return Unauthenticated("TOKEN_EXPIRED", "The token has expired.")
        return None

    def _outdated(self) -> bool:
        return time.monotonic() - self._fetched_at > FETCHED_AGAIN_AFTER_S

    async def _key_of(self, token: str) -> PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Unauthenticated("TOKEN_MALFORMED", f"This is no token: {error}.") from None
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated(
                "TOKEN_INVALID", f"A token is signed with one of {', '.join(ALGORITHMS)}."
            )
        key_id = str(header.get("kid", ""))
        if key_id not in self._keys or self._outdated():
            await self._fetch_again()
        if key_id not in self._keys:
            if self._outdated():
                raise KeysUnknown("The identity provider does not answer")
            raise Unauthenticated("TOKEN_KEY_UNKNOWN", "The token is signed with an unknown key.")
        return self._keys[key_id]

    def _caller(self, token: str, key: PyJWK) -> Caller:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("TOKEN_EXPIRED", "The token has expired.") from None
        except jwt.InvalidAudienceError:
            message = f"The token is not for this server: its audience is not {self._audience!r}."
            raise Unauthenticated("TOKEN_WRONG_AUDIENCE", message) from None
        except jwt.PyJWTError as error:
            raise Unauthenticated("TOKEN_INVALID", f"The token does not hold: {error}.") from None
        owner = claims.get(self._owner_claim)
        try:
            check_owner(owner if isinstance(owner, str) else "")
        except InvalidKey:
            message = f"The claim {self._owner_claim!r} of the token names no owner."
            raise Unauthenticated("TOKEN_WITHOUT_OWNER", message) from None
        return Caller(
            owner=str(owner),
            scopes=scopes_in(claims.get(self._scope_claim)),
            key_id=str(claims.get("jti", "")) or "token",
            expire_time=datetime.fromtimestamp(int(claims["exp"]) + LEEWAY_S, UTC),
        )

    async def _fetch_again(self) -> None:
        if time.monotonic() - self._tried_at > FETCHED_EVERY_S and (
            self._fetching is None or self._fetching.done()
        ):
            self._tried_at = time.monotonic()
            self._fetching = asyncio.create_task(self._fetch(), name="fetch-keys")
        if self._fetching is not None:
            await asyncio.shield(self._fetching)  # others may wait for it too

    async def _fetch(self) -> None:
        try:
            found = await asyncio.to_thread(self._published)
        except (jwt.PyJWTError, OSError, ValueError) as error:
            LOG.warning("the identity provider's keys could not be fetched: %s", error)
            return
        self._keys = {key.key_id: key for key in found if key.key_id}
        self._fetched_at = time.monotonic()

    def _published(self) -> list[PyJWK]:
        url = self._keys_url or keys_url_of(self._issuer)
        return PyJWKClient(url, timeout=ANSWER_WITHIN_S).get_signing_keys(refresh=True)


def keys_url_of(issuer: str) -> str:
    """Where an issuer publishes its keys, by its own description (OpenID Connect Discovery). Raises ValueError."""
    place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    with urlopen(place, timeout=ANSWER_WITHIN_S) as answer:
        described = json.load(answer)
    if described.get("issuer") != issuer:
        raise ValueError(f"{place} describes another issuer, {described.get('issuer')!r}")
    return str(described["jwks_uri"])


def scopes_in(claim: object) -> frozenset[Scope]:
    """The scopes that a claim names, as words or as a list; those of other services are left out."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    named = {str(word).removeprefix(SCOPE_PREFIX) for word in words}
    return frozenset(scope for scope in Scope if scope in named)
