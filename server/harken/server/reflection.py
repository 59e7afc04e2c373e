"""Server reflection under both its names: v1, and v1alpha for old clients. Their messages are the same on the wire."""

from collections.abc import Collection, Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

V1 = "grpc.reflection.v1.ServerReflection"


class MethodPool:
    """The default descriptor pool, which also finds the file of a method, or of an enum's value, by its full name."""

    def __getattr__(self, name: str) -> Any:
        return getattr(descriptor_pool.Default(), name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:  # noqa: N802 # protobuf's name
        """The file that defines the symbol. Raises KeyError."""
        find = descriptor_pool.Default().FindFileContainingSymbol
        try:
            return find(symbol)
        except KeyError:
            parent = symbol.rpartition(".")[0]
            if not parent or symbol.rpartition(".")[2] not in _members(find(parent), parent):
                raise
            return find(parent)


def _members(file: Any, name: str) -> Collection[str]:
    """The names of a service's methods or an enum's values."""
    for service in file.services_by_name.values():
        if service.full_name == name:
            return service.methods_by_name
    for enum in file.enum_types_by_name.values():
        if enum.full_name == name:
            return enum.values_by_name
    return ()


def add_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Lets clients such as grpcurl ask the server for its contract."""
    names = (*services, V1, reflection.SERVICE_NAME)
    servicer = reflection.aio.ReflectionServicer(names, pool=MethodPool())
    add_ServerReflectionServicer_to_server(servicer, server)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(V1, {"ServerReflectionInfo": handler}),)
    )
