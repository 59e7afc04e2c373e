"""Texts in chunks: of a fixed length or with a zero at the end, in UTF-8 or an older coding."""

from typing import Final

MOST_CHARS: Final = 1_000  # published


def text_of(content: bytes) -> str | None:
    """The text up to the first zero, without what cannot be shown; None for none."""
    content = content.split(b"\0", 1)[0]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    shown = "".join(char if char.isprintable() else " " for char in text).strip()
    return shown[:MOST_CHARS] or None
