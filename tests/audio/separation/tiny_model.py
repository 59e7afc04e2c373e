"""ONNX models small enough to be made by a test: stems are the sound times a gain each."""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

CHANNELS = 2
SEGMENT = 8_820


def write_model(
    path: Path,
    gains: Sequence[float] = (0.25, 0.5),
    *,
    channels: int | str = CHANNELS,
    segment: int | str = SEGMENT,
    said: dict[str, object] | None = None,
    metadata: dict[str, str] | None = None,
    root: float = 1.0,
) -> Path:
    """A model that gives `gains` times its input; `root` other than 1 makes NaN of what is negative."""
    shape = [1, channels, segment]
    nodes = [
        helper.make_node("Pow", ["mix", "root"], ["powered"]),
        helper.make_node("Unsqueeze", ["powered", "axis"], ["one"]),
        helper.make_node("Mul", ["one", "gains"], ["stems"]),
    ]
    graph = helper.make_graph(
        nodes,
        "gains",
        [helper.make_tensor_value_info("mix", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("stems", TensorProto.FLOAT, [1, len(gains), *shape[1:]])],
        [
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("root", TensorProto.FLOAT, [], [root]),
            helper.make_tensor("gains", TensorProto.FLOAT, [1, len(gains), 1, 1], list(gains)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path))
    if said is not None:
        path.with_suffix(".json").write_text(json.dumps(said))
    return path


SAID: dict[str, object] = {"sample_rate": 44_100, "stems": ["voice", "band"], "name": "gains 1"}
