"""One question to an endpoint and its answer, by the official client."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx2
import openai
from pydantic import BaseModel, ConfigDict, ValidationError

from harken.tasks.language_model.answer import SCHEMA, Answer, parse_answer
from harken.tasks.language_model.backoff import retry_after
from harken.tasks.language_model.endpoint import Endpoint
from harken.tasks.language_model.failure import (
    BUSY,
    FAILED,
    INVALID,
    REFUSED,
    UNREACHABLE,
    ModelFailure,
)
from harken.tasks.language_model.transport import BoundedTransport

# Ten times what an answer needs; models that think aloud first need some.
MOST_TOKENS: Final = 2_000
CONNECT_WITHIN_S: Final = 5.0
# Ways to ask for JSON, the strictest first: an endpoint that knows none takes the plain one.
FORMS: Final[tuple[dict[str, Any], ...]] = (
    {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "insights", "strict": True, "schema": SCHEMA},
        }
    },
    {"response_format": {"type": "json_object"}},
    {},
)
# What an endpoint says that does not know a form.
UNKNOWN_FORM: Final = frozenset({400, 415, 422, 501})


class Message(BaseModel):
    """What a model has written."""

    model_config = ConfigDict(extra="ignore")

    content: str | None = None
    refusal: str | None = None


class Choice(BaseModel):
    """One of a model's answers."""

    model_config = ConfigDict(extra="ignore")

    message: Message
    finish_reason: str | None = None


class Completion(BaseModel):
    """What of an endpoint's answer is read."""

    model_config = ConfigDict(extra="ignore")

    choices: list[Choice]


class Exchange:
    """A connection to an endpoint; use as `async with`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._form = 0
        timeout = httpx2.Timeout(endpoint.timeout_s, connect=CONNECT_WITHIN_S)
        # A redirect would carry the question elsewhere, and so would a proxy or a login of the environment.
        http = httpx2.AsyncClient(
            transport=BoundedTransport(retries=0),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )
        self._client = openai.AsyncOpenAI(
            api_key=endpoint.key or "none",
            base_url=endpoint.url,
            http_client=http,
            max_retries=0,  # they are counted here, and the breaker hears of each
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def ask(self, messages: Sequence[dict[str, str]]) -> Answer:
        """One answer. Raises ModelFailure."""
        while True:
            try:
                body = await self._post(messages, FORMS[self._form])
                return _answer_in(body)
            except openai.APIStatusError as error:
                last = self._form == len(FORMS) - 1
                if error.status_code not in UNKNOWN_FORM or last:
                    raise _failure_of(error) from None
                self._form += 1

    async def _post(self, messages: Sequence[dict[str, str]], form: dict[str, Any]) -> bytes:
        asked: Any = self._client.chat.completions.with_raw_response
        try:
            response = await asked.create(
                model=self._endpoint.model, messages=list(messages), max_tokens=MOST_TOKENS, **form
            )
        except openai.APIConnectionError as error:
            cause = error.__cause__
            if isinstance(cause, ModelFailure):
                raise cause from None
            why = type(cause or error).__name__
            raise ModelFailure(
                UNREACHABLE, f"no connection, or it broke off ({why})", again=True
            ) from None
        except openai.APIStatusError:
            raise
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise ModelFailure(REFUSED, f"no call can be made ({type(error).__name__})") from None
        return response.http_response.content


def _answer_in(body: bytes) -> Answer:
    """The answer in a body. Raises ModelFailure."""
    try:
        completion = Completion.model_validate_json(body)
    except ValidationError:
        raise ModelFailure(INVALID, "the body is no completion", again=True) from None
    if not completion.choices:
        raise ModelFailure(INVALID, "there are no choices", again=True)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise ModelFailure(REFUSED, "the model does not want to answer")
    if choice.finish_reason == "length":
        raise ModelFailure(INVALID, f"the answer has more than {MOST_TOKENS:,} tokens")
    return parse_answer(choice.message.content or "")


def _failure_of(error: openai.APIStatusError) -> ModelFailure:
    status = error.status_code
    asked_for = retry_after(error.response.headers.get("retry-after"), datetime.now(UTC))
    # Not the body: an endpoint may repeat the question or the key in it.
    message = f"HTTP {status}"
    if status == 429:
        return ModelFailure(BUSY, message, again=True, retry_after_s=asked_for)
    if status >= 500 or status == 408:
        return ModelFailure(FAILED, message, again=True, retry_after_s=asked_for)
    return ModelFailure(REFUSED, message)
