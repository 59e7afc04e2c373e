"""The engine on its own: `python -m harken.audio [--json] [--features rhythm,…|default] FILE…`.

One JSON object a line (or a readable summary) in the order given. Exit code 0 when every file was
analysed, 1 when some could not be, 2 for wrong usage. `python -m harken.audio --warm-up` compiles
what has to be compiled once for this machine's CPU, and nothing else.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from harken.audio import IN_FILES, Feature, warm_up
from harken.audio.report import file_report
from harken.audio.summary import summary

# The others make files, which need a job to keep them.
KNOWN = tuple(feature for feature in Feature if feature not in IN_FILES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code, raises SystemExit(2) for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m harken.audio", description="Analyse audio and video files."
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="audio or video files")
    parser.add_argument(
        "--warm-up", action="store_true", help="compile the engine for this machine's CPU"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--features",
        type=parse_features,
        default=None,
        metavar="LIST",
        help=f"'default' (the first eight) or any of {_names()}, separated by commas",
    )
    options = parser.parse_args(arguments)
    if options.warm_up:
        warm_up()
    elif not options.files:
        parser.error("name at least one FILE")
    # Before numpy loads: see harken.audio.warm_up.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    failed = False
    try:
        for path in options.files:
            report = file_report(path, options.features)
            failed = failed or "error" in report
            line = json.dumps(report, ensure_ascii=False) if options.json else summary(report)
            # A console that cannot show a character must not stop the list.
            encoding = sys.stdout.encoding or "utf-8"
            print(line.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:
        # The reader (`head`) has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if failed else 0


def parse_features(text: str) -> tuple[Feature, ...] | None:
    """The features in a comma-separated list; None, meaning the first eight, for "default"."""
    if text.strip() == "default":
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in KNOWN]
    if unknown or not names:
        wrong = f"unknown feature '{unknown[0]}'" if unknown else "no feature named"
        raise argparse.ArgumentTypeError(f"{wrong}; choose from {_names()}, or 'default'")
    return tuple(Feature(name) for name in names)


def _names() -> str:
    return ", ".join(KNOWN)


if __name__ == "__main__":
    sys.exit(main())
