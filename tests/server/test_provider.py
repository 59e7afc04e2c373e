"""Tokens of an identity provider: taken when they are its own, for this server, and in time; nothing else is."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from harken.jobs.owners.scope import Scope
from harken.server.access import provider as provider_module
from harken.server.access.provider import Provider, scopes_in
from harken.server.errors import KeysUnknown, Unauthenticated
from harken.server.serve import running_server
from harken.settings import Settings, SettingsError
from harken.v1.job_service_pb2 import ListJobsRequest, SubmitAnalysisRequest
from harken.v1.job_service_pb2_grpc import JobServiceStub
from harken.v1.source_pb2 import Source
from tests.server.guarded import bearer, make_key

AUDIENCE = "harken"


@dataclass
class Issuer:
    """An identity provider on this machine: its key pairs, and how often they were asked for."""

    url: str
    pairs: dict[str, Any]
    fetched: int = 0
    answers: bool = True

    def token(self, kid: str = "rsa", **claims: Any) -> str:
        """A token as the provider makes it, but for the claims given; None leaves one out."""
        pair = self.pairs[kid]
        algorithm = "RS256" if isinstance(pair, rsa.RSAPrivateKey) else "ES256"
        return jwt.encode(self.claims(**claims), pair, algorithm=algorithm, headers={"kid": kid})

    def claims(self, **given: Any) -> dict[str, Any]:
        """What a good token says."""
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "exp": int(time.time()) + 600,
            "scope": "openid harken:read submit",
        }
        return {name: value for name, value in {**usual, **given}.items() if value is not None}

    def jwks(self) -> dict[str, Any]:
        """Its public keys."""
        keys = []
        for kid, pair in self.pairs.items():
            kind = RSAAlgorithm if isinstance(pair, rsa.RSAPrivateKey) else ECAlgorithm
            keys.append({**json.loads(kind.to_jwk(pair.public_key())), "kid": kid, "use": "sig"})
        return {"keys": keys}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An identity provider that describes itself and publishes its keys over HTTP."""
    pairs = {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
    }

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its name
            if not provider.answers:
                self.send_error(503)
                return
            if self.path == "/.well-known/openid-configuration":
                page = {"issuer": provider.url, "jwks_uri": f"{provider.url}/keys"}
            else:
                provider.fetched += 1
                page = provider.jwks()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(page).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # its name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    provider = Issuer(f"http://127.0.0.1:{server.server_port}", pairs)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def checked(issuer: Issuer) -> Provider:
    """What takes its tokens."""
    return Provider(Settings(jwt_issuer=issuer.url, jwt_audience=AUDIENCE, authentication="jwt"))


async def why_not(checked: Provider, token: str) -> str:
    """The reason for which a token is refused."""
    with pytest.raises(Unauthenticated) as refused:
        await checked.caller(token)
    assert token not in str(refused.value)
    return refused.value.reason


@pytest.mark.parametrize("kid", ["rsa", "ec"])
async def test_a_token_says_whose_call_it_is_and_what_it_may(
    checked: Provider, issuer: Issuer, kid: str
) -> None:
    caller = await checked.caller(issuer.token(kid))
    assert caller.owner == "ann"
    assert caller.scopes == {Scope.READ, Scope.SUBMIT}


async def test_what_the_provider_publishes_is_fetched_once_for_many_tokens(
    checked: Provider, issuer: Issuer
) -> None:
    for number in range(20):
        await checked.caller(issuer.token(sub=f"owner-{number}"))
    assert issuer.fetched == 1


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": 1}, "TOKEN_EXPIRED"),
        ({"exp": None}, "TOKEN_INVALID"),
        ({"aud": "another"}, "TOKEN_WRONG_AUDIENCE"),
        ({"aud": None}, "TOKEN_INVALID"),
        ({"iss": "https://elsewhere.example"}, "TOKEN_INVALID"),
        ({"nbf": 2**40}, "TOKEN_INVALID"),
        ({"sub": None}, "TOKEN_WITHOUT_OWNER"),
        ({"sub": ""}, "TOKEN_WITHOUT_OWNER"),
        ({"sub": "a\nb"}, "TOKEN_WITHOUT_OWNER"),
    ],
    ids=str,
)
async def test_a_token_that_does_not_hold_is_refused(
    checked: Provider, issuer: Issuer, claims: dict[str, Any], why: str
) -> None:
    assert await why_not(checked, issuer.token(**claims)) == why


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    checked: Provider, issuer: Issuer
) -> None:
    """The old confusion: what everybody knows, taken for a shared secret."""
    public = (
        issuer.pairs["rsa"]
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    import base64
    import hashlib
    import hmac

    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).encode())
    signed = head + b"." + part(json.dumps(issuer.claims()).encode())
    forged = signed + b"." + part(hmac.new(public, signed, hashlib.sha256).digest())
    assert await why_not(checked, forged.decode()) == "TOKEN_INVALID"


async def test_a_token_without_a_signature_is_refused(checked: Provider, issuer: Issuer) -> None:
    unsigned = jwt.encode(issuer.claims(), None, algorithm="none", headers={"kid": "rsa"})
    assert await why_not(checked, unsigned) == "TOKEN_INVALID"


async def test_a_token_of_one_key_is_not_taken_for_another_s(
    checked: Provider, issuer: Issuer
) -> None:
    token = jwt.encode(
        issuer.claims(), issuer.pairs["ec"], algorithm="ES256", headers={"kid": "rsa"}
    )
    assert await why_not(checked, token) == "TOKEN_INVALID"


async def test_made_up_keys_do_not_burden_the_provider(checked: Provider, issuer: Issuer) -> None:
    await checked.caller(issuer.token())
    strange = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for number in range(20):
        token = jwt.encode(
            issuer.claims(), strange, algorithm="RS256", headers={"kid": f"made-up-{number}"}
        )
        assert await why_not(checked, token) == "TOKEN_KEY_UNKNOWN"
    assert issuer.fetched == 1


async def test_a_new_key_of_the_provider_is_fetched_and_a_withdrawn_one_is_taken_no_longer(
    checked: Provider, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.token()
    await checked.caller(old)
    monkeypatch.setattr(provider_module, "FETCHED_EVERY_S", 0.0)
    del issuer.pairs["rsa"]
    issuer.pairs["new"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert (await checked.caller(issuer.token("new"))).owner == "ann"

    assert await why_not(checked, old) == "TOKEN_KEY_UNKNOWN"


async def test_while_the_provider_does_not_answer_nobody_is_called_unknown(
    checked: Provider, issuer: Issuer
) -> None:
    issuer.answers = False
    with pytest.raises(KeysUnknown):
        await checked.caller(issuer.token())


@pytest.mark.parametrize("text", ["x", "a.b.c", "é.é.é", "." * 1000])
async def test_what_is_no_token_is_refused(checked: Provider, text: str) -> None:
    assert await why_not(checked, text) == "TOKEN_MALFORMED"


def test_scopes_are_words_or_a_list_with_or_without_a_prefix() -> None:
    assert scopes_in("harken:read openid cancel") == {Scope.READ, Scope.CANCEL}
    assert scopes_in(["read", 7, None]) == {Scope.READ}
    assert scopes_in(None) == scopes_in({"read": 1}) == frozenset()


async def test_a_server_takes_keys_and_tokens_side_by_side(
    settings: Settings, issuer: Issuer
) -> None:
    settings = replace(
        settings, authentication="keys,jwt", jwt_issuer=issuer.url, jwt_audience=AUDIENCE
    )
    key = make_key(settings, "ann")
    async with (
        running_server(settings) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        jobs = JobServiceStub(channel)
        request = SubmitAnalysisRequest(source=Source(path="one.wav"))
        made = await jobs.SubmitAnalysis(request, metadata=bearer(issuer.token()))
        listed = await jobs.ListJobs(ListJobsRequest(), metadata=bearer(key))
        assert [job.job_id for job in listed.jobs] == [made.job.job_id]
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await jobs.SubmitAnalysis(request, metadata=bearer(issuer.token(scope="read")))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_tokens_need_an_issuer_and_an_audience() -> None:
    with pytest.raises(SettingsError, match="HARKEN_JWT_ISSUER and HARKEN_JWT_AUDIENCE"):
        Settings(authentication="jwt", jwt_issuer="https://i.example")


@pytest.mark.parametrize("url", ["http://i.example", "file:///etc/passwd", "ftp://i", "i.example"])
def test_an_issuer_is_asked_over_https(url: str) -> None:
    with pytest.raises(SettingsError, match="https://"):
        Settings.from_environment({"HARKEN_JWT_ISSUER": url})
