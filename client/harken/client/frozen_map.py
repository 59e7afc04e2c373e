"""A mapping of texts that never changes."""

from collections.abc import Iterator, Mapping


class FrozenMap(Mapping[str, str]):
    """Labels and tags: read like a dict, equal to a dict, hashable, and fit for pickle and copy."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items: dict[str, str] = dict(items or {})

    def __getitem__(self, key: str) -> str:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)
