"""A protoc plugin that makes what grpcio-tools makes: messages (`*_pb2.py`) and services (`*_pb2_grpc.py`).

grpcio-tools carries its generators inside its own protoc only, so `buf generate` could not call them without this.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """The files that grpcio-tools makes of the request's protos, or the reason why it makes none."""
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder, "descriptors.binpb")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        arguments = [
            "protoc",
            f"--descriptor_set_in={descriptors}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            *request.file_to_generate,
        ]
        if protoc.main(arguments) != 0:
            response.error = "grpc_tools.protoc failed; its messages stand above"
            return response
        for path in sorted(out.rglob("*.py")):
            if path.name.endswith("_pb2_grpc.py") and "add_" not in path.read_text():
                continue  # a file without a service
            response.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    return response


if __name__ == "__main__":
    made = generate(CodeGeneratorRequest.FromString(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(made.SerializeToString())
