"""What a language model may answer: a sentence and words of a closed vocabulary. All else is refused."""

import json
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harken.tasks.language_model.failure import INVALID, ModelFailure

LONGEST_DESCRIPTION: Final = 400
MOST_WORDS: Final = 8
# A model that puts prose around its JSON is understood, as long as there is one object to be found.
LONGEST_TEXT: Final = 20_000

Word = Literal[
    "mood:calm",
    "mood:dark",
    "mood:dramatic",
    "mood:energetic",
    "mood:happy",
    "mood:melancholic",
    "mood:mysterious",
    "mood:neutral",
    "mood:relaxed",
    "mood:tense",
    "use:advertising",
    "use:background",
    "use:dance",
    "use:film",
    "use:game",
    "use:podcast",
    "use:sample",
    "use:study",
    "use:workout",
]


class Answer(BaseModel):
    """An answer that holds what it has to."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    description: Annotated[str, Field(min_length=1, max_length=LONGEST_DESCRIPTION)]
    tags: Annotated[list[Word], Field(max_length=MOST_WORDS)]


# Written out, since endpoints that are strict about schemas know few of JSON Schema's words.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "description": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string", "enum": list(get_args(Word))}},
    },
    "required": ["description", "tags"],
    "additionalProperties": False,
}


def parse_answer(text: str) -> Answer:
    """The answer in a model's text. Raises ModelFailure, which may be another time's luck."""
    try:
        answer = Answer.model_validate(_object_in(text[:LONGEST_TEXT]))
    except ValidationError as error:
        # Not what the model has written: that is shown to nobody.
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the answer"
        raise ModelFailure(INVALID, f"{place}: {first['msg']}", again=True) from None
    if not answer.description.strip() or not answer.description.replace("\n", " ").isprintable():
        raise ModelFailure(INVALID, "description: it cannot be shown", again=True)
    return answer


def _object_in(text: str) -> Any:
    """The first JSON object that stands in a text."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
        else:
            return found
    raise ModelFailure(INVALID, "there is no JSON object in the answer", again=True)
