"""`Client.owners`: what is held of an owner, for administrators. Its twin is `harken.client.async_owners`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from harken.client.exports import Call
from harken.client.handle import JobHandle
from harken.client.owner_request import erase_owner, export_owner

if TYPE_CHECKING:
    from harken.client.sync import Client


class Owners:
    """The calls of OwnerService, on a client."""

    def __init__(self, client: Client, call: Call) -> None:
        self._client = client
        self._call = call

    def export(
        self, owner: str, *, request_id: str | UUID | None = None, timeout: float | None = None
    ) -> JobHandle:
        """Accepts the export of all that is held of an owner: a gzipped tar archive, the job's only artifact."""
        return JobHandle(
            self._client, self._call(export_owner(owner, request_id=request_id), timeout)
        )

    def erase(
        self, owner: str, *, request_id: str | UUID | None = None, timeout: float | None = None
    ) -> JobHandle:
        """Accepts the deletion of all that is held of an owner: a receipt is the job's only artifact."""
        return JobHandle(
            self._client, self._call(erase_owner(owner, request_id=request_id), timeout)
        )
