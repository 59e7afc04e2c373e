"""Sends what may be wrong to every call that a server has, as it says itself by reflection, and notes the answers."""

import asyncio
import importlib
import pkgutil
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2 as _health  # noqa: F401 # registers its service
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

import harken.v1
from tests.fuzz.messages import case

AT_ONCE = 16
STREAM_ENDS_AFTER_S = 0.05  # those that follow something would go on
CALL_ENDS_AFTER_S = 20.0
MOST_MESSAGES = 3  # that one call sends or receives

# What gRPC's own client says, as INTERNAL, when the server ended a call of which a message was still being sent.
UNSENT = "Internal error from Core"
# Faults of the server: nothing that is sent may lead to one.
FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A case that was answered by a fault; `seed` makes it again."""

    method: str
    seed: str
    code: str
    said: str
    sent: tuple[bytes, ...]


@dataclass
class Answers:
    """What came back: how often which status from which method, and the faults."""

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    faults: list[Found] = field(default_factory=list[Found])


async def methods_of(channel: grpc.aio.Channel) -> list[MethodDescriptor]:
    """All calls of the server but those of reflection itself, which never end by themselves."""
    call: Any = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    stream = call(iter([ServerReflectionRequest(list_services="")]))
    answer = await stream.read()
    stream.cancel()
    for module in pkgutil.iter_modules(harken.v1.__path__):
        if module.name.endswith("_service_pb2"):
            importlib.import_module(f"harken.v1.{module.name}")
    pool: Any = descriptor_pool.Default()
    names = sorted(service.name for service in answer.list_services_response.service)
    services = [pool.FindServiceByName(name) for name in names if "reflection" not in name]
    return [method for service in services for method in service.methods]


async def fuzz(address: str, seed: int, cases: int, answers: Answers | None = None) -> Answers:
    """Sends that many cases, evenly to all methods, a few at once."""
    answers = answers or Answers()
    options = [("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        methods = await methods_of(channel)
        numbers = iter(range(cases))

        async def work() -> None:
            for number in numbers:
                method = methods[number % len(methods)]
                await _send(channel, method, f"{seed}:{number}", answers)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return answers


async def _send(
    channel: grpc.aio.Channel, method: MethodDescriptor, seed: str, answers: Answers
) -> None:
    chance = random.Random(seed)
    number = chance.randint(0, MOST_MESSAGES) if method.client_streaming else 1
    sent = tuple(case(method.input_type, chance) for _ in range(number))
    path = f"/{method.containing_service.full_name}/{method.name}"
    said = ""
    try:
        await _call(channel, method, path, sent)
        code = grpc.StatusCode.OK
    except grpc.aio.AioRpcError as error:
        code, said = error.code(), error.details() or ""
        if method.client_streaming and said == UNSENT:
            code = grpc.StatusCode.CANCELLED
    answers.statuses[path, code.name] += 1
    if code in FAULTS:
        answers.faults.append(Found(method=path, seed=seed, code=code.name, said=said, sent=sent))


async def _call(channel: Any, method: MethodDescriptor, path: str, sent: Sequence[bytes]) -> None:
    timeout = STREAM_ENDS_AFTER_S if method.server_streaming else CALL_ENDS_AFTER_S
    request: Any = iter(sent) if method.client_streaming else sent[0]
    kinds = ("unary", "stream")
    name = f"{kinds[method.client_streaming]}_{kinds[method.server_streaming]}"
    call = getattr(channel, name)(path)(request, timeout=timeout)
    if not method.server_streaming:
        await call
        return
    try:
        for _ in range(MOST_MESSAGES):
            if await call.read() is grpc.aio.EOF:
                break
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
    finally:
        call.cancel()
