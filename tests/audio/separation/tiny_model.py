"""ONNX models small enough to be made by a test: stems are the sound, or its spectrum, times a gain each."""

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


def write_hybrid(
    path: Path,
    gains: Sequence[float],
    *,
    segment: int,
    frames: int,
    channels: int = CHANNELS,
    takes_also: Sequence[str] = (),
    kind: int = TensorProto.FLOAT,
) -> Path:
    """A model of the shapes of Demucs's network: sound and spectrum in, those of the stems out, the spectra first.

    Each stem is its gain times the sound, and half of it times what the spectrum holds.
    """
    sound, spectrum = [1, channels, segment], [1, 2 * channels, 2048, frames]
    stems = len(gains)
    nodes = [
        helper.make_node("Unsqueeze", ["input", "axis"], ["one"]),
        helper.make_node("Mul", ["one", "gains"], ["add_67"]),
        helper.make_node("Unsqueeze", ["x", "axis"], ["other"]),
        helper.make_node("Mul", ["other", "halves"], ["output"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "hybrid",
        [
            value("input", kind, sound),
            value("x", kind, spectrum),
            *(value(name, kind, sound) for name in takes_also),
        ],
        [
            value("output", kind, [1, stems, *spectrum[1:]]),
            value("add_67", kind, [1, stems, *sound[1:]]),
        ],
        [
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("gains", kind, [1, stems, 1, 1], list(gains)),
            helper.make_tensor("halves", kind, [1, stems, 1, 1, 1], [g / 2 for g in gains]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    said = {"sample_rate": 44_100, "stems": ["drums", "bass", "other", "vocals"][:stems]}
    path.with_suffix(".json").write_text(json.dumps(said))
    return path


SAID: dict[str, object] = {"sample_rate": 44_100, "stems": ["voice", "band"], "name": "gains 1"}
