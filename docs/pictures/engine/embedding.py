"""How alike generated drums are, hit by hit."""

from typing import Final

import numpy as np

from benchmarks.embedding import vector
from benchmarks.sounds.collection import drums
from docs.pictures.engine.canvas import panels, save

HITS: Final = 6  # of each kind, each of another kit
SEED: Final = 2  # not the one the metric was fitted with


def draw_embedding() -> None:
    """How alike drums of other kits are."""
    hits = list(drums(SEED, each=HITS))
    vectors = np.stack([vector(hit.samples) for hit in hits])
    likeness = vectors @ vectors.T
    kinds = list(dict.fromkeys(hit.kind for hit in hits))
    figure, (axes,) = panels(5.2, 1)
    image = axes.imshow(likeness, cmap="cividis", vmin=-0.2, vmax=1.0)
    middles = HITS * (np.arange(len(kinds)) + 0.5) - 0.5
    axes.set_xticks(middles, kinds, rotation=60, ha="right")
    axes.set_yticks(middles, kinds)
    for edge in HITS * np.arange(1, len(kinds)) - 0.5:
        axes.axhline(edge, color="white", lw=0.4)
        axes.axvline(edge, color="white", lw=0.4)
    figure.colorbar(image, ax=axes, label="likeness (dot product)", shrink=0.8)
    alike = np.array([hit.kind for hit in hits])
    same = (alike[:, None] == alike[None]) & ~np.eye(len(hits), dtype=bool)
    within, between = likeness[same].mean(), likeness[alike[:, None] != alike].mean()
    print(f"embedding: likeness {within:.2f} within a kind, {between:.2f} between kinds")
    save(figure, "embedding")
