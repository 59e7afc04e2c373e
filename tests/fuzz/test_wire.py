"""Whatever is sent to whatever call, the answer is no fault of the server; `python -m tests.fuzz` sends far more."""

import random

import grpc
import pytest

from harken.v1 import job_service_pb2
from tests.fuzz.messages import mutated, random_message
from tests.fuzz.wire import FAULTS, fuzz, methods_of
from tests.server.conftest import Served, served, settings
from tests.server.test_redrive import refusal

__all__ = ["served", "settings"]  # fixtures

CASES = 1_500
Code = grpc.StatusCode
CORRUPT = b"\xff\xff\xff\x7f\x00"


async def test_no_random_or_mutated_message_is_answered_by_a_fault(served: Served) -> None:
    answers = await fuzz(served.settings.listen, seed=1, cases=CASES)
    assert answers.faults == []
    assert sum(answers.statuses.values()) == CASES
    assert len({method for method, _ in answers.statuses}) >= 20


async def test_bytes_that_are_no_message_are_refused_with_details(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        for method in await methods_of(channel):
            path = f"/{method.containing_service.full_name}/{method.name}"
            if method.client_streaming:
                call = channel.stream_unary(path)(iter([CORRUPT]))
            elif method.server_streaming:
                call = channel.unary_stream(path)(CORRUPT).read()
            else:
                call = channel.unary_unary(path)(CORRUPT)
            code, reason, _ = await refusal(call)
            assert (code, reason) == (Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"), path


async def test_a_call_that_nobody_wrote_is_said_to_be_missing(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/grpc.health.v1.Health/List")(b"")
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert caught.value.code() not in FAULTS


def test_a_seed_makes_the_same_case_again() -> None:
    kind = job_service_pb2.SubmitBatchRequest.DESCRIPTOR

    def made() -> tuple[bytes, bytes]:
        chance = random.Random("7:3")
        valid = random_message(kind, chance).SerializeToString(deterministic=True)
        return valid, mutated(valid, chance)

    assert made() == made()
