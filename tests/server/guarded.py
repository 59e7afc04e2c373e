"""A server that asks who calls, and calls of any method by its name, as it stands in the contract."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from harken.jobs.owners import keys
from harken.jobs.owners.scope import ALL_SCOPES, Scope
from harken.jobs.store.database import Database
from harken.settings import Settings

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


@dataclass(frozen=True)
class Method:
    """A method of the contract."""

    name: str
    request_streaming: bool
    response_streaming: bool


@dataclass(frozen=True)
class Answer:
    """What came of a call: the status, its text, and all bytes of messages and details."""

    code: grpc.StatusCode
    text: str
    content: bytes


def bearer(text: str) -> tuple[tuple[str, str], ...]:
    """The metadata that shows a key or a token."""
    return (("authorization", f"Bearer {text}"),)


def make_key(
    settings: Settings,
    owner: str,
    scopes: frozenset[Scope] = ALL_SCOPES,
    *,
    lifetime: timedelta | None = None,
    now: datetime | None = None,
) -> str:
    """The text of a new key."""
    database = Database(settings.database_url, pooled=False)
    with database.write() as connection:
        _, text = keys.create_key(
            connection, owner=owner, scopes=scopes, lifetime=lifetime, now=now or datetime.now(UTC)
        )
    database.close()
    return text


def revoke(settings: Settings, text: str) -> None:
    """Revokes a key."""
    parts = keys.parts_of(text)
    assert parts is not None
    database = Database(settings.database_url, pooled=False)
    with database.write() as connection:
        keys.revoke_key(connection, parts[0], now=datetime.now(UTC))
    database.close()


async def call(
    channel: grpc.aio.Channel,
    method: Method,
    request: Message | bytes,
    metadata: Any = None,
    *,
    messages: int = 1,
) -> Answer:
    """Calls a method with one request, and takes so many messages of a stream."""
    body = request if isinstance(request, bytes) else request.SerializeToString()
    kind = ("stream" if method.request_streaming else "unary") + (
        "_stream" if method.response_streaming else "_unary"
    )
    make: Callable[..., Any] = getattr(channel, kind)
    started = make(method.name)(
        iter([body]) if method.request_streaming else body, metadata=metadata, timeout=10
    )
    found = b""
    try:
        if method.response_streaming:
            for _ in range(messages):
                message = await started.read()
                if message is grpc.aio.EOF:
                    break
                found += message
            else:
                started.cancel()
                return Answer(grpc.StatusCode.OK, "", found)
        else:
            found = await started
        return Answer(await started.code(), await started.details(), found)
    except grpc.aio.AioRpcError as error:
        details = b"".join(
            value if isinstance(value, bytes) else value.encode()
            for _, value in error.trailing_metadata() or ()
        )
        return Answer(error.code(), error.details() or "", found + details)


async def methods_of(channel: grpc.aio.Channel, key: str) -> dict[str, Method]:
    """All methods that the server says that it has."""
    listed = await _reflect(channel, key, ServerReflectionRequest(list_services=""))
    services = [service.name for service in listed.list_services_response.service]
    found: dict[str, Method] = {}
    for service in services:
        asked = ServerReflectionRequest(
            file_containing_symbol=service.replace("reflection.v1.", "reflection.v1alpha.")
        )
        answer = await _reflect(channel, key, asked)
        for data in answer.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(data)
            for described in file.service:
                if described.name != service.rpartition(".")[2]:
                    continue
                for method in described.method:
                    name = f"/{service}/{method.name}"
                    found[name] = Method(name, method.client_streaming, method.server_streaming)
    return found


async def _reflect(
    channel: grpc.aio.Channel, key: str, request: ServerReflectionRequest
) -> ServerReflectionResponse:
    stream = channel.stream_stream(REFLECTION)(
        iter([request.SerializeToString()]), metadata=bearer(key)
    )
    return ServerReflectionResponse.FromString(await stream.read())
