"""Says who calls and whether they may, before the request is read: who is refused makes the server read nothing."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc

from harken.server.access.authentication import Authentication
from harken.server.access.rules import RULES, Open, Rule
from harken.server.caller import LOCAL, Caller, let_in
from harken.server.errors import ScopeMissing
from harken.server.interceptors.around import Context

_REFUSAL: ContextVar[Exception] = ContextVar("refusal")


async def _refuse(_requests: Any, _context: Context) -> None:
    raise _REFUSAL.get()


# Of a stream of requests none is read that nobody asks for.
_REFUSED = grpc.stream_unary_rpc_method_handler(_refuse)


class Access(grpc.aio.ServerInterceptor):
    """Lets callers in; without authentication everybody, as the one owner there is."""

    def __init__(self, authentication: Authentication | None) -> None:
        self._authentication = authentication

    async def intercept_service(  # pyright: ignore[reportIncompatibleMethodOverride] # it serves all types
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler of the method, or one that refuses the call."""
        if self._authentication is None:
            let_in(LOCAL)
            return await continuation(handler_call_details)
        method = str(handler_call_details.method)
        rule = RULES.get(method)
        if rule is Open.TO_ALL:
            return await continuation(handler_call_details)
        try:
            caller = await self._authentication.caller(handler_call_details.invocation_metadata)
            let_in(caller)
            handler = await continuation(handler_call_details)
            if handler is not None:  # else gRPC says that there is no such method
                check(caller, method, rule)
        except Exception as error:  # a fault here is told as one of a servicer
            _REFUSAL.set(error)
            return _REFUSED
        return handler


def check(caller: Caller, method: str, rule: Rule | None) -> None:
    """Raises ScopeMissing when the caller may not call the method; one without a rule nobody may."""
    if rule is not Open.TO_CALLERS and rule not in caller.scopes:
        raise ScopeMissing(method, str(rule), caller.owner)
