"""How the client reaches a server: address, retries, keepalive, limits."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

DEFAULT_TARGET = "127.0.0.1:50051"
TARGET_VARIABLE = "HARKEN_SERVER"

DEFAULT_TIMEOUT_S = 30.0
"""Time for one call, its retries included. Watches and waits have none unless given one."""

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Largest message sent or received. The server takes 32 MiB, a result is far below."""

KEEPALIVE_TIME_MS = 30_000
"""A stream silent for this long is pinged, so that a connection that a NAT dropped is noticed."""
KEEPALIVE_TIMEOUT_MS = 10_000

FIRST_RECONNECT_MS = 100
"""gRPC's pause before it connects again; its default of 1 s would outlast the retries below."""
MAX_RECONNECT_MS = 2_000
"""gRPC's default of 120 s would leave a client blind to a server that is back."""

SERVICE_CONFIG = Path(__file__).with_name("service_config.json").read_text(encoding="utf-8")
"""What gRPC repeats by itself, in any language: calls that met UNAVAILABLE and that may come twice.

Reads and cancels may, and submits and retries by the request_id that the client always sends. A stream is not repeated:
`harken.client.follow` opens it again with its last token, for as long as it is told to, at no cost to the calls.
"""


def target_from(target: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The address to connect to: the one given, else HARKEN_SERVER, else this machine."""
    return target or environment.get(TARGET_VARIABLE) or DEFAULT_TARGET


def options_for(target: str) -> list[tuple[str, Any]]:
    """The options of a channel to `target`."""
    options: list[tuple[str, Any]] = [
        ("grpc.service_config", SERVICE_CONFIG),
        ("grpc.enable_retries", 1),
        # A batch is larger than gRPC's default buffer, and what does not fit is not retried.
        ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    ]
    if is_local(target):
        # gRPC would ask the proxy of HTTP_PROXY even for this machine.
        options.append(("grpc.enable_http_proxy", 0))
    return options


def is_local(target: str) -> bool:
    """Whether the target is on this machine."""
    address = target.removeprefix("dns:").lstrip("/")
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    address = address.removeprefix("ipv4:").removeprefix("ipv6:")
    bracketed = address.startswith("[")
    host = address[1:].partition("]")[0] if bracketed else address.partition(":")[0]
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # another name
