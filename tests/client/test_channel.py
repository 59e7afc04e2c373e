"""What gRPC repeats by itself: calls that may come twice, when the server was not there, and nothing else."""

import json

from harken.client.channel import SERVICE_CONFIG, options_for
from harken.v1 import job_service_pb2, media_service_pb2, worker_service_pb2
from harken.v1.job_service_pb2 import RetryJobsRequest, SubmitAnalysisRequest, SubmitBatchRequest

NOT_REPEATED = {
    ("harken.v1.JobService", "StreamProgress"),  # opened again with its token
    ("harken.v1.MediaService", "UploadMedia"),  # gone on with where it stands
    ("harken.v1.MediaService", "DownloadArtifact"),  # gone on with where it broke off
    ("harken.v1.MediaService", "DeleteUpload"),  # the second time it would not be found
}


def contract() -> set[tuple[str, str]]:
    """All methods."""
    services_of = (job_service_pb2, media_service_pb2, worker_service_pb2)
    files = [module.DESCRIPTOR for module in services_of]
    services = [service for file in files for service in file.services_by_name.values()]
    return {(service.full_name, method.name) for service in services for method in service.methods}


def test_every_call_but_a_stream_is_repeated_and_each_is_named() -> None:
    """Named one by one, so that a new call is not repeated before somebody has thought about it."""
    (config,) = json.loads(SERVICE_CONFIG)["methodConfig"]
    named = {(name["service"], name["method"]) for name in config["name"]}
    assert named == contract() - NOT_REPEATED


def test_calls_are_repeated_for_unavailable_only() -> None:
    (config,) = json.loads(SERVICE_CONFIG)["methodConfig"]
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_what_makes_jobs_has_a_request_id_to_be_repeated_by() -> None:
    for request in (SubmitAnalysisRequest, SubmitBatchRequest, RetryJobsRequest):
        assert "request_id" in request.DESCRIPTOR.fields_by_name


def test_a_silent_connection_is_pinged_within_what_the_server_allows() -> None:
    from harken.server.serve import OPTIONS as SERVER_OPTIONS

    options, allowed = dict(options_for("there:1")), dict(SERVER_OPTIONS)
    assert options["grpc.service_config"] == SERVICE_CONFIG
    assert (
        options["grpc.keepalive_time_ms"] >= allowed["grpc.http2.min_ping_interval_without_data_ms"]
    )
    assert 0 < options["grpc.keepalive_timeout_ms"] < options["grpc.keepalive_time_ms"]
