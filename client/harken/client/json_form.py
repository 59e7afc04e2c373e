"""Values as JSON-ready data, in protobuf's JSON form."""

from typing import Any

from google.protobuf.json_format import MessageToDict

from harken.client.convert import encode
from harken.client.convert_update import message_of
from harken.client.update import Update


def to_dict(value: Any) -> dict[str, Any]:
    """A value as protobuf's JSON has it, with the field names of the contract.

    The value is a job, a batch, a result, a worker, an update … What is unset is left out, and so
    are zeros and empty texts of fields that cannot be unset; 64-bit integers are texts. An update
    becomes the message of the stream that brings it alone.
    """
    message = message_of(value) if isinstance(value, Update) else encode(value)
    return MessageToDict(message, preserving_proto_field_name=True)
