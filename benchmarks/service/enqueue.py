"""The peer's side of enqueueing, in a process of its own, with its Redis in PEER_BROKER_URL.

    python -m benchmarks.service.enqueue delay|apply_async|results NUMBER

`delay` and `apply_async` only send; `results` waits for the stored result of each too. Prints the seconds that it took.
"""

import sys
import time

from benchmarks.service.peer_tasks import analyze


def main() -> None:
    """Sends, and prints."""
    way, number = sys.argv[1], int(sys.argv[2])
    analyze.delay("warm-up")  # connects
    begun = time.perf_counter()
    if way == "apply_async":
        for job in range(number):
            analyze.apply_async((str(job),))
    else:
        results = [analyze.delay(str(job)) for job in range(number)]
        if way == "results":
            for result in results:
                result.get(timeout=120)
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
