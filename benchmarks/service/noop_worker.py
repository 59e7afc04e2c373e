"""`harken worker` with an engine that has nothing to do: `python -m benchmarks.service.noop_worker`.

Everything else is as it comes: the claim, the look at the file, the progress reporter, the end, the stored result.
"""

from typing import Any

import harken.audio
from harken.audio.result import AnalysisResult, Media
from harken.tasks.command import worker


def analyze(*_arguments: Any, **_options: Any) -> AnalysisResult:
    """In the engine's place."""
    return AnalysisResult(media=Media())


if __name__ == "__main__":
    harken.audio.analyze = analyze  # pyright: ignore[reportAttributeAccessIssue] # another result
    worker()
