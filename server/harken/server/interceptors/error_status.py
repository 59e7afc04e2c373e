"""Turns errors into statuses with details, so that servicers raise what went wrong and know no codes."""

import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc

from harken.server.interceptors.around import Around, Context
from harken.server.status import DETAILS_KEY, code_of, internal, status_of, unimplemented

LOG = logging.getLogger(__name__)

UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED


class ErrorStatus(Around):
    """Ends a call that raised with the status of its error; a fault gets an id that the log has too."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncGenerator[None]:
        """Entered before the call is handled."""
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            status = status_of(error)
            # What the generated servicers say of a call that nobody wrote, such as that of health to list all.
            if isinstance(error, NotImplementedError) and context.code() is UNIMPLEMENTED:
                status = unimplemented(method)
            if status is None:
                fault_id = uuid.uuid4().hex[:12]
                LOG.exception("fault %s in %s", fault_id, method)
                status = internal(fault_id)
            details = ((DETAILS_KEY, status.SerializeToString()),)
            await context.abort(code_of(status), status.message, details)
