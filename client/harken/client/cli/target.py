"""What an id names: a job or a batch."""

from typing import TYPE_CHECKING

from harken.client.batch import Batch
from harken.client.errors import NotFound
from harken.client.job import Job

if TYPE_CHECKING:
    from harken.client.sync import Client


def find(client: "Client", target_id: str) -> Job | Batch:
    """The job, else the batch, with this id. Raises NotFound when there is neither."""
    try:
        return client.get_job(target_id)
    except NotFound as no_job:
        try:
            return client.get_batch(target_id)
        except NotFound:
            raise NotFound(
                f"There is no job and no batch {target_id}.", reason=no_job.reason
            ) from no_job
