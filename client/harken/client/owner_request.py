"""The calls about all that is held of an owner: shared by the sync and the asyncio client."""

from uuid import UUID, uuid4

from harken.client import requests
from harken.client.convert import decode
from harken.client.job import Job
from harken.client.rpc import Rpc
from harken.v1.owner_service_pb2 import EraseOwnerRequest, ExportOwnerRequest


def export_owner(owner: str, *, request_id: str | UUID | None) -> Rpc[Job]:
    """Accepts the export of all that is held of an owner."""
    request = requests.valid(ExportOwnerRequest, request_id=str(request_id or uuid4()), owner=owner)
    return Rpc(lambda on: on.owners.ExportOwner, request, lambda got: decode(Job, got.job))


def erase_owner(owner: str, *, request_id: str | UUID | None) -> Rpc[Job]:
    """Accepts the deletion of all that is held of an owner."""
    request = requests.valid(EraseOwnerRequest, request_id=str(request_id or uuid4()), owner=owner)
    return Rpc(lambda on: on.owners.EraseOwner, request, lambda got: decode(Job, got.job))
