"""Reflection: clients find services and single methods, by the new name of the service and by the old one."""

import grpc
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from tests.server.conftest import Served


async def ask(served: Served, version: str, symbol: str) -> ServerReflectionResponse:
    """The answer to who defines a symbol."""
    async with grpc.aio.insecure_channel(served.settings.listen) as channel:
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        stream = call(iter([ServerReflectionRequest(file_containing_symbol=symbol)]))
        return await stream.read()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
@pytest.mark.parametrize(
    "symbol",
    [
        "harken.v1.JobService",
        "harken.v1.JobService.SubmitAnalysis",
        "harken.v1.WorkerService.ListQueues",
        "harken.v1.Job",
        "harken.v1.Feature",
        "grpc.health.v1.Health.Check",
    ],
)
async def test_what_there_is_is_found(served: Served, version: str, symbol: str) -> None:
    answer = await ask(served, version, symbol)

    assert answer.file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize(
    "symbol", ["harken.v1.JobService.NoSuchCall", "harken.v1.NoSuch", "nowhere", ""]
)
async def test_what_there_is_not_is_not_found(served: Served, symbol: str) -> None:
    answer = await ask(served, "v1", symbol)

    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
