"""The engine's results have the fields of the contract's AnalysisResult: a misspelt one would get lost silently."""

from dataclasses import fields
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.json_format import ParseDict

import harken.audio
from harken.audio import DEFAULT_FEATURES, Feature, analyze
from harken.v1 import analysis_result_pb2, quality_pb2, speech_pb2, transcript_pb2, video_pb2

MESSAGES = {
    name: message
    for module in (analysis_result_pb2, quality_pb2, speech_pb2, transcript_pb2, video_pb2)
    for name, message in module.DESCRIPTOR.message_types_by_name.items()
    if not name.endswith("Options")
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda message: message.name)
def test_each_message_has_the_fields_of_the_engines_result(message: Descriptor) -> None:
    engine = {
        field.name
        for field in fields(
            getattr(harken.audio, message.name, None) or getattr(harken.audio, message.name)
        )
    }

    assert engine == {field.name for field in message.fields}


def test_a_real_result_is_a_message_without_leaving_anything_out(media: Path) -> None:
    features = [*DEFAULT_FEATURES, Feature.QUALITY]
    found = analyze(media / "piece.flac", features).to_dict()

    message = ParseDict(found, analysis_result_pb2.AnalysisResult(), ignore_unknown_fields=False)

    assert {field.name for field, _ in message.ListFields()} == set(found)
