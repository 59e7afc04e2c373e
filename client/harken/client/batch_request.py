"""Many files to one request, of which a bad one stops none of the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from harken.client.batch import Batch, BatchItem, FailedItem
from harken.client.convert import decode
from harken.client.errors import InvalidRequest
from harken.client.options import Options
from harken.client.requests import (
    Features,
    Length,
    PathOrSource,
    feature_numbers,
    length,
    options_message,
    source_message,
    valid,
)
from harken.v1 import job_service_pb2 as pb

MAX_ITEMS = 10_000
"""The server's limit of items in a batch."""

Item = PathOrSource | BatchItem


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """A request, and what the client had to leave out of it."""

    message: pb.SubmitBatchRequest
    places: tuple[int, ...]
    """For each item of the message its place among the items given."""
    refused: tuple[FailedItem, ...]
    """Items that cannot even be sent, such as a path that is not UTF-8."""

    def outcome(self, response: pb.SubmitBatchResponse) -> tuple[Batch, tuple[FailedItem, ...]]:
        """The batch, and the items not accepted, by their places among the items given."""
        by_server = (
            FailedItem(index=self.places[item.index], reason=item.reason, message=item.message)
            for item in response.failed_items
        )
        failed = sorted((*self.refused, *by_server), key=lambda item: item.index)
        return decode(Batch, response.batch), tuple(failed)


def submit_batch(
    items: Iterable[Item],
    *,
    features: Features | None = None,
    priority: int | None = None,
    labels: Mapping[str, str] | None = None,
    schedule_timeout: Length | None = None,
    request_id: str | UUID | None = None,
    run_timeout: Length | None = None,
    skip_cache: bool = False,
    options: Options | None = None,
) -> BatchRequest:
    """The request for many files; `labels` are put on each of them, below the item's own."""
    messages: list[pb.SubmitBatchRequest.Item] = []
    places: list[int] = []
    refused: list[FailedItem] = []
    for place, item in enumerate(items):
        try:
            messages.append(_item_message(item, labels or {}))
            places.append(place)
        except InvalidRequest as error:
            refused.append(FailedItem(index=place, reason=error.reason, message=error.message))
    if refused and not messages:
        raise InvalidRequest(
            f"None of the {len(refused)} items can be sent. The first: {refused[0].message}",
            reason=refused[0].reason,
        )
    message = valid(
        pb.SubmitBatchRequest,
        request_id=str(request_id or uuid4()),
        items=messages,
        features=feature_numbers(features),
        priority=priority,
        schedule_timeout=length("schedule_timeout", schedule_timeout),
        run_timeout=length("run_timeout", run_timeout),
        skip_cache=skip_cache,
        options=options_message(options),
    )
    return BatchRequest(message=message, places=tuple(places), refused=tuple(refused))


def _item_message(item: Item, labels: Mapping[str, str]) -> pb.SubmitBatchRequest.Item:
    if not isinstance(item, BatchItem):
        return valid(pb.SubmitBatchRequest.Item, source=source_message(item), labels=labels)
    return valid(
        pb.SubmitBatchRequest.Item,
        source=source_message(item.source),
        features=feature_numbers(item.features),
        request_id=item.request_id,
        labels={**labels, **item.labels},
        options=options_message(item.options),
    )
