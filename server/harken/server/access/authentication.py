"""Who a call is from, by what it shows: an API key, or a token of an identity provider."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harken.jobs.owners import keys
from harken.server.access.keyring import KeyRing
from harken.server.caller import Caller
from harken.server.errors import Unauthenticated

if TYPE_CHECKING:
    from harken.server.access.provider import Provider

HEADER = "authorization"
SCHEME = "bearer"


class Authentication:
    """The ways in that are open: keys, tokens, or both."""

    def __init__(self, *, ring: KeyRing | None, provider: "Provider | None") -> None:
        self._ring = ring
        self._provider = provider

    async def caller(self, metadata: Sequence[tuple[str, Any]]) -> Caller:
        """Who a call with this metadata is from. Raises Unauthenticated, and KeysUnknown for now."""
        text = credentials_in(metadata)
        if self._ring is not None and (
            self._provider is None or text.startswith(f"{keys.PREFIX}_")
        ):
            return await self._ring.caller(text)
        if self._provider is not None:
            return await self._provider.caller(text)
        raise Unauthenticated("NO_WAY_IN", "This server takes neither keys nor tokens.")

    def refusal(self, caller: Caller) -> Unauthenticated | None:
        """Why a caller who was let in before is not any more; None while that holds."""
        if self._ring is not None and caller.by_key:
            return self._ring.refusal(caller.key_id)
        return self._provider.refusal(caller) if self._provider is not None else None


def credentials_in(metadata: Sequence[tuple[str, Any]]) -> str:
    """What stands after "Bearer" in a call's metadata. Raises Unauthenticated."""
    shown = [value for name, value in metadata if name == HEADER]
    if not shown:
        raise Unauthenticated(
            "NO_CREDENTIALS",
            "This server asks who calls. Send the metadata `authorization: Bearer KEY`; harken's clients take the"
            " key from HARKEN_KEY or HARKEN_KEY_FILE.",
        )
    scheme, _, text = shown[0].partition(" ")
    if len(shown) > 1 or scheme.lower() != SCHEME or not text.strip():
        raise Unauthenticated(
            "CREDENTIALS_MALFORMED", "The metadata has to be, once: `authorization: Bearer KEY`."
        )
    return text.strip()
