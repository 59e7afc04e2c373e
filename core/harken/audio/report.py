"""One file's analysis as one JSON object, whatever becomes of it."""

import os
from collections.abc import Iterable
from typing import Any

from harken.audio import AudioError, Feature, ProgressCallback, analyze

# The error's `kind` where the recording is not at fault; InputError has its own.
TRANSIENT = "TRANSIENT"
INTERNAL = "INTERNAL"


def file_report(
    path: str | os.PathLike[str],
    features: Iterable[Feature | str] | None = None,
    *,
    on_progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """`path` and then the groups of the result, or `path` and an `error` of kind, reason, message.

    No fault of one file leaves this function, so that it never stops the rest of a list; what
    `on_progress` raises of BaseException's other branches (KeyboardInterrupt) does.
    """
    # A name that is not UTF-8 still has to fit into JSON.
    name = os.fsencode(path).decode("utf-8", "replace")
    try:
        return {"path": name, **analyze(path, features, on_progress=on_progress).to_dict()}
    except AudioError as error:
        return _failure(name, error.kind, error.reason, error.message)
    except OSError as error:
        message = f"Reading the file failed ({error.strerror or error}); try again later."
        return _failure(name, TRANSIENT, "IO_ERROR", message)
    except Exception as error:
        message = f"The analysis itself failed ({type(error).__name__}: {error}); please report it."
        return _failure(name, INTERNAL, "ANALYSIS_FAILED", message)


def _failure(path: str, kind: str, reason: str, message: str) -> dict[str, Any]:
    return {"path": path, "error": {"kind": kind, "reason": reason, "message": message}}
