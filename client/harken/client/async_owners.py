"""`AsyncClient.owners`: what is held of an owner, for administrators. Its twin is `harken.client.owners`."""

# ruff: noqa: ASYNC109  # the timeouts are gRPC's deadlines, which the server learns of

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from harken.client.async_exports import AsyncCall
from harken.client.async_handle import AsyncJobHandle
from harken.client.owner_request import erase_owner, export_owner

if TYPE_CHECKING:
    from harken.client.aio import AsyncClient


class AsyncOwners:
    """The calls of OwnerService, on a client."""

    def __init__(self, client: AsyncClient, call: AsyncCall) -> None:
        self._client = client
        self._call = call

    async def export(
        self, owner: str, *, request_id: str | UUID | None = None, timeout: float | None = None
    ) -> AsyncJobHandle:
        """Accepts the export of all that is held of an owner: a gzipped tar archive, the job's only artifact."""
        return AsyncJobHandle(
            self._client, await self._call(export_owner(owner, request_id=request_id), timeout)
        )

    async def erase(
        self, owner: str, *, request_id: str | UUID | None = None, timeout: float | None = None
    ) -> AsyncJobHandle:
        """Accepts the deletion of all that is held of an owner: a receipt is the job's only artifact."""
        return AsyncJobHandle(
            self._client, await self._call(erase_owner(owner, request_id=request_id), timeout)
        )
