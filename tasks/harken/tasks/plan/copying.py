"""Files that a step has made on this machine, on their way into the storage."""

from collections.abc import Callable
from typing import BinaryIO

from harken.tasks.plan.step import Bench

BLOCK_BYTES = 1 << 20


def publish_copy(
    bench: Bench, file: BinaryIO, *, name: str, media_type: str, on_bytes: Callable[[int], None]
) -> None:
    """Makes a copy of `file`, from where it stands, an artifact; `on_bytes` is told of each block, and may raise."""
    with bench.new_artifact(name=name, media_type=media_type) as artifact:
        while block := file.read(BLOCK_BYTES):
            artifact.file.write(block)
            on_bytes(len(block))
        bench.publish(artifact)
