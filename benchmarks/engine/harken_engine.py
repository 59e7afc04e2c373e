"""harken as it is called, and what its progress reports cost and leave between them."""

import itertools
import time
from collections.abc import Callable, Mapping


def analyze() -> Callable[[str], None]:
    """All features, nobody watching."""
    from harken.audio import analyze, warm_up

    warm_up()

    def run(path: str) -> None:
        analyze(path)

    return run


def analyze_watched_and_not() -> Callable[[str], Mapping[str, float | str]]:
    """All features twice, with a callback and without, in the order that the last file had not.

    Both in one process: two lie differently in memory, which alone makes more than a percent. Gives
    the CPU times `watched_s` and `silent_s`, the number of `reports`, and the longest CPU time in
    which none came, `gap_s`, with the report it began at, `where`; the time from the call to the
    first report counts, and that from the last one to the result.
    """
    from harken.audio import analyze, warm_up

    warm_up()
    watched_first = itertools.cycle((True, False))

    def silent(path: str) -> Mapping[str, float | str]:
        began = time.process_time()
        analyze(path)
        return {"silent_s": time.process_time() - began}

    def watched(path: str) -> Mapping[str, float | str]:
        seen = [(time.process_time(), "the call")]

        def note(stage: str, fraction: float, message: str) -> None:
            seen.append((time.process_time(), f"{stage}, {message}, {fraction:.1%} done"))

        analyze(path, on_progress=note)
        seen.append((time.process_time(), "the result"))
        gaps = [(after - at, where) for (at, where), (after, _) in itertools.pairwise(seen)]
        gap_s, where = max(gaps)
        whole_s = seen[-1][0] - seen[0][0]
        return {"watched_s": whole_s, "reports": len(seen) - 2, "gap_s": gap_s, "where": where}

    def run(path: str) -> Mapping[str, float | str]:
        turns = (watched, silent) if next(watched_first) else (silent, watched)
        return {name: figure for turn in turns for name, figure in turn(path).items()}

    return run
