"""Where a language model is asked, as the worker is set up."""

from dataclasses import dataclass, field
from typing import Final, Self

from harken.jobs.job import ErrorKind
from harken.settings import Settings
from harken.tasks.work import WorkFailed

NOT_CONFIGURED: Final = "MODEL_NOT_CONFIGURED"
RUNTIME_MISSING: Final = "MODEL_RUNTIME_MISSING"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible endpoint and the name of a model there."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float
    sees_names: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one that is set up. Raises WorkFailed where there is none."""
        if not settings.language_model_url or not settings.language_model:
            raise WorkFailed(
                kind=ErrorKind.INTERNAL,
                reason=NOT_CONFIGURED,
                message="No language model is set up here. Set HARKEN_LANGUAGE_MODEL_URL and HARKEN_LANGUAGE_MODEL,"
                " start the workers again, and retry the job; or ask for insights without one.",
            )
        return cls(
            url=settings.language_model_url,
            model=settings.language_model,
            key=settings.language_model_key,
            timeout_s=float(settings.language_model_timeout_s),
            sees_names=settings.language_model_sees_names,
        )


def identity_of(settings: Settings) -> str:
    """What an answer depends on: another model's is another result."""
    names = "with names" if settings.language_model_sees_names else "without names"
    return f"|{settings.language_model_url}|{settings.language_model}|{names}"
