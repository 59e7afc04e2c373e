"""Draws docs/pictures/engine-*.png, which docs/engine.md shows: `make pictures`.

Harken's own numbers beside librosa's, pyloudnorm's or the truth, on music and sounds that are made here; prints the
figures that the pictures and the document name. Takes two to three minutes, most of it for the confidences.
"""

import tempfile
from pathlib import Path
from typing import Final

from demo import piece
from docs.pictures.engine.confidence import draw_confidences
from docs.pictures.engine.embedding import draw_embedding
from docs.pictures.engine.frames import listen
from docs.pictures.engine.key import draw_key
from docs.pictures.engine.loudness import draw_loudness, draw_true_peak
from docs.pictures.engine.rhythm import draw_onsets, draw_tempo
from docs.pictures.engine.spectrum import draw_chroma, draw_decoded, draw_mel, draw_spectral
from tests.audio.reference import reference

PIECE_S: Final = 20.0


def main() -> None:
    """Draw all."""
    with tempfile.TemporaryDirectory(prefix="harken-pictures-") as name:
        folder = Path(name)
        music = piece.compose(duration_s=PIECE_S)
        path = folder / "piece.wav"
        piece.write(path, music)
        frames, theirs = listen(path), reference(path)
        draw_decoded(music, folder)
        draw_spectral(frames, theirs)
        draw_mel(frames, theirs)
        draw_onsets(frames, path, music)
        draw_chroma(frames, theirs)
        draw_key()
        draw_tempo(path, music)
        draw_loudness(folder)
        draw_true_peak()
        draw_embedding()
        draw_confidences(folder)


if __name__ == "__main__":
    main()
