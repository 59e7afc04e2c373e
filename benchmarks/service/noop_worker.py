"""`harken worker` with an engine that has nothing to do: `python -m benchmarks.service.noop_worker`.

Everything else is as it comes: the claim, the look at the file, the progress reporter, the end, the stored result.
"""

from typing import Any

import harken.audio
from harken.tasks.command import worker


class NoResult:
    """The result of nothing."""

    def to_dict(self) -> dict[str, Any]:
        """As the engine's results become what is stored."""
        return {"media": {}}


def analyze(*_arguments: Any, **_options: Any) -> NoResult:
    """In the engine's place."""
    return NoResult()


if __name__ == "__main__":
    harken.audio.analyze = analyze  # pyright: ignore[reportAttributeAccessIssue] # another result
    worker()
