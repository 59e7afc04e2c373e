"""Why a language model has not answered.

ModelFailure    fields: reason, message, again (whether the same call may go well), retry_after_s
"""

from typing import Final

UNREACHABLE: Final = "MODEL_UNREACHABLE"  # no connection, or one that broke off
TIMEOUT: Final = "MODEL_TIMEOUT"
BUSY: Final = "MODEL_BUSY"  # 429
FAILED: Final = "MODEL_FAILED"  # 5xx
REFUSED: Final = "MODEL_REFUSED"  # 4xx, a redirect, or the model does not want to
INVALID: Final = "MODEL_ANSWER_INVALID"
PAUSED: Final = "MODEL_PAUSED"  # it failed too often of late


class ModelFailure(Exception):
    """It has not answered, or not as it has to."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        again: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.again = again
        self.retry_after_s = retry_after_s
