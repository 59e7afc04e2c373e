"""What the peer's servers take and answer."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field

MEDIA_ROOT: Final = Path(os.environ.get("PEER_MEDIA_ROOT", ".")).resolve()

Feature = Literal["rhythm", "tonal", "loudness", "spectral", "timbre", "embedding"]


class NewJob(BaseModel):
    """A file to analyse."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    features: list[Feature] = []
    priority: Annotated[int, Field(ge=0, le=9)] = 5
    labels: dict[str, str] = {}


class JobView(BaseModel):
    """A job as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    state: str
    path: str
    features: list[str]
    priority: int
    labels: dict[str, str]
    created_at: datetime


def check(new: NewJob) -> None:
    """Raises HTTPException for a file that is not below the root, or not there."""
    path = (MEDIA_ROOT / new.path).resolve()
    if not path.is_relative_to(MEDIA_ROOT) or not path.is_file():
        raise HTTPException(404, f"{new.path} does not exist")
