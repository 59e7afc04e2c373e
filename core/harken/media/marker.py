"""The mark of the system that a storage is of, an object beside the bytes.

What a database does not know it takes for an orphan: two systems with one storage would delete each other's bytes.
"""

from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError

from harken.media.storage_errors import BlobMissing, StorageOfAnother, storage_errors

if TYPE_CHECKING:
    from obstore.store import ObjectStore

KEY = "harken-system"


def check(store: "ObjectStore", system: str) -> bool:
    """Whether the storage bears the mark of the system; not yet, where it bears none.

    Raises StorageOfAnother and StorageUnavailable.
    """
    try:
        with storage_errors(KEY):
            found = bytes(obstore.get(store, KEY).bytes()).decode(errors="replace").strip()
    except BlobMissing:
        return False
    if found != system:
        raise StorageOfAnother(KEY, found, system)
    return True


def claim(store: "ObjectStore", system: str) -> None:
    """Marks the storage as the system's where nobody has. Raises StorageOfAnother and StorageUnavailable."""
    while not check(store, system):
        with storage_errors():  # a bucket that is not there is no byte that is missing
            try:
                obstore.put(store, KEY, f"{system}\n".encode(), mode="create")
            except AlreadyExistsError:
                continue  # somebody was first: whoever that is
            return
