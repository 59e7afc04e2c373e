"""Options of features: checked, kept with the job, and part of what makes two submits the same."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.client import Options as ClientOptions
from harken.client import PrepareOptions as ClientPrepare
from harken.client import StemsOptions as ClientStems
from harken.client.convert import decode, encode
from harken.client.enums import AudioFormat as ClientFormat
from harken.client.enums import PreparedChannels
from harken.client.enums import StemKind as ClientKind
from harken.jobs.known_results import content_key
from harken.jobs.options import (
    AudioFormat,
    ImageFormat,
    InsightsOptions,
    Options,
    PictureKind,
    PicturesOptions,
    PictureTheme,
    PrepareOptions,
    StemKind,
    StemsOptions,
    VideoOptions,
    VideoProduct,
)
from harken.jobs.submission import payload_hash
from harken.media import MediaRoots
from harken.media.source_rules import SourceRules
from harken.server import validate
from harken.server.errors import InvalidRequest
from harken.server.options import options_message, options_of, options_violations
from harken.tasks.queues import queue_for
from harken.v1 import options_pb2 as pb
from harken.v1 import pictures_pb2
from harken.v1.feature_pb2 import (
    FEATURE_PICTURES,
    FEATURE_PITCH,
    FEATURE_PREPARE,
    FEATURE_STEMS,
    FEATURE_VIDEO,
)
from harken.v1.job_service_pb2 import SubmitAnalysisRequest, SubmitBatchRequest
from harken.v1.source_pb2 import Source
from harken.v1.video_pb2 import VideoOptions as VideoOptionsMessage

HOUR = timedelta(hours=1)
BOTH = ("stems", "prepare", "video", "pictures", "insights")
SOURCE = Source(path="a.wav")

PREPARES = st.builds(
    PrepareOptions,
    format=st.sampled_from(AudioFormat),
    sample_rate_hz=st.none() | st.integers(8_000, 192_000),
    loudness_lufs=st.none() | st.floats(-70, 0),
    true_peak_ceiling_dbtp=st.floats(-20, 0),
    trim_silence=st.just(value=True),
    silence_threshold_dbfs=st.floats(-120, -10),
    mono=st.booleans(),
    bits=st.sampled_from([16, 24]),
)
KINDS = st.lists(st.sampled_from(StemKind), min_size=1, unique=True)
STEMS = KINDS.map(
    lambda kinds: StemsOptions(kinds=tuple(kind for kind in StemKind if kind in kinds))
)
FILES = st.sampled_from(
    [(VideoProduct.FACTS,), *(tuple(set(VideoProduct) - {one}) for one in tuple(VideoProduct)[1:])]
).map(
    lambda products: tuple(
        one for one in VideoProduct if one in products and (one != "facts" or len(products) == 1)
    )
)


def _videos(products: tuple[VideoProduct, ...]) -> st.SearchStrategy[VideoOptions]:
    """Options of what is made alone, as others are refused."""
    chosen: dict[str, st.SearchStrategy[object]] = {}
    if VideoProduct.THUMBNAILS in products:
        chosen["thumbnail_times_s"] = st.lists(st.floats(0, 172_800), max_size=5).map(tuple)
        chosen["thumbnail_height"] = st.integers(16, 2_160)
    if VideoProduct.CONTACT_SHEET in products:
        chosen["sheet_columns"] = st.integers(1, 12)
        chosen["sheet_rows"] = st.integers(1, 20)
        chosen["sheet_width"] = st.integers(320, 4_096)
    if VideoProduct.PROXY in products:
        chosen["proxy_height"] = st.integers(120, 1_080)
        chosen["proxy_fps"] = st.floats(1, 60)
    image_format = st.sampled_from(ImageFormat)
    return st.builds(VideoOptions, products=st.just(products), image_format=image_format, **chosen)


VIDEOS = FILES.flatmap(_videos)
PICTURES = st.builds(
    PicturesOptions,
    kinds=st.sets(st.sampled_from(PictureKind), min_size=1).map(
        lambda kinds: tuple(kind for kind in PictureKind if kind in kinds)
    ),
    width=st.integers(64, 2_400),
    height=st.integers(32, 1_200),
    theme=st.sampled_from(PictureTheme),
    scale=st.integers(1, 2),
)
INSIGHTS = st.builds(InsightsOptions, language_model=st.booleans())
OPTIONS = st.builds(
    Options,
    stems=st.none() | STEMS,
    prepare=st.none() | PREPARES,
    video=st.none() | VIDEOS,
    pictures=st.none() | PICTURES,
    insights=st.none() | INSIGHTS,
)


def _pictures(**wanted: Any) -> pb.Options:
    return pb.Options(pictures=pictures_pb2.PicturesOptions(**wanted))


@given(OPTIONS)
def test_options_come_through_the_database_and_the_contract_as_they_are(options: Options) -> None:
    assert Options.of_spec(options.to_spec()) == options
    message = options_message(options)
    if message is None:
        assert options == Options()
        return
    assert list(options_violations("options", message, BOTH)) == []
    assert options_of(message) == options
    assert encode(decode(ClientOptions, message)) == message


def test_what_is_not_chosen_is_nothing_in_the_row() -> None:
    assert Options().to_spec() is None
    assert Options.of_spec(None) == Options()
    assert options_message(Options()) is None


def test_defaults_are_filled_in() -> None:
    message = pb.Options(stems=pb.StemsOptions(), prepare=pb.PrepareOptions(loudness_lufs=-14))
    found = options_of(message)
    assert found.stems == StemsOptions(kinds=(StemKind.HARMONIC_PERCUSSIVE,))
    assert found.prepare == PrepareOptions(loudness_lufs=-14.0, true_peak_ceiling_dbtp=-1.0)
    # Spelled out or not, it is the same job.
    shown = options_message(found)
    assert shown is not None
    assert options_of(shown) == found


def prepare(**fields: object) -> pb.Options:
    return pb.Options(prepare=pb.PrepareOptions(**fields))  # pyright: ignore[reportArgumentType]


def video(**fields: object) -> pb.Options:
    return pb.Options(video=VideoOptionsMessage(**fields))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("options", "field", "reason"),
    [
        (prepare(format=9), "prepare.format", "UNKNOWN_FORMAT"),
        (prepare(channels=9), "prepare.channels", "UNKNOWN_CHANNELS"),
        (prepare(sample_rate_hz=7_999), "prepare.sample_rate_hz", "SAMPLE_RATE_HZ_OUT_OF_RANGE"),
        (prepare(sample_rate_hz=192_001), "prepare.sample_rate_hz", "SAMPLE_RATE_HZ_OUT_OF_RANGE"),
        (prepare(loudness_lufs=0.1), "prepare.loudness_lufs", "LOUDNESS_LUFS_OUT_OF_RANGE"),
        (
            prepare(loudness_lufs=float("nan")),
            "prepare.loudness_lufs",
            "LOUDNESS_LUFS_OUT_OF_RANGE",
        ),
        (
            prepare(true_peak_ceiling_dbtp=1),
            "prepare.true_peak_ceiling_dbtp",
            "TRUE_PEAK_CEILING_DBTP_OUT_OF_RANGE",
        ),
        (
            prepare(silence_threshold_dbfs=-5),
            "prepare.silence_threshold_dbfs",
            "SILENCE_THRESHOLD_DBFS_OUT_OF_RANGE",
        ),
        (prepare(bits=8), "prepare.bits", "BITS_NOT_SUPPORTED"),
        (prepare(bits=32), "prepare.bits", "BITS_NOT_SUPPORTED"),
        (video(products=[0]), "video.products[0]", "UNKNOWN_PRODUCT"),
        (video(image_format=9), "video.image_format", "UNKNOWN_IMAGE_FORMAT"),
        (
            video(thumbnail_times_s=[1, -1]),
            "video.thumbnail_times_s[1]",
            "THUMBNAIL_TIME_OUT_OF_RANGE",
        ),
        (
            video(thumbnail_times_s=[float("nan")]),
            "video.thumbnail_times_s[0]",
            "THUMBNAIL_TIME_OUT_OF_RANGE",
        ),
        (video(thumbnail_times_s=[1] * 101), "video.thumbnail_times_s", "TOO_MANY_THUMBNAILS"),
        (video(thumbnail_height=15), "video.thumbnail_height", "THUMBNAIL_HEIGHT_OUT_OF_RANGE"),
        (video(sheet_columns=13), "video.sheet_columns", "SHEET_COLUMNS_OUT_OF_RANGE"),
        (video(sheet_rows=0), "video.sheet_rows", "SHEET_ROWS_OUT_OF_RANGE"),
        (video(sheet_width=4_097), "video.sheet_width", "SHEET_WIDTH_OUT_OF_RANGE"),
        (
            video(products=[4], proxy_height=119),
            "video.proxy_height",
            "PROXY_HEIGHT_OUT_OF_RANGE",
        ),
        (video(products=[4], proxy_fps=60.1), "video.proxy_fps", "PROXY_FPS_OUT_OF_RANGE"),
        (video(proxy_fps=5), "video.proxy_fps", "OPTIONS_WITHOUT_PRODUCT"),
        (video(products=[4], sheet_rows=2), "video.sheet_rows", "OPTIONS_WITHOUT_PRODUCT"),
        (
            video(products=[1], thumbnail_times_s=[1]),
            "video.thumbnail_times_s",
            "OPTIONS_WITHOUT_PRODUCT",
        ),
        (pb.Options(stems=pb.StemsOptions(kinds=[0])), "stems.kinds[0]", "UNKNOWN_STEM_KIND"),
        (_pictures(kinds=[1, 9]), "pictures.kinds[1]", "UNKNOWN_PICTURE_KIND"),
        (_pictures(width=63), "pictures.width", "WIDTH_OUT_OF_RANGE"),
        (_pictures(height=1_201), "pictures.height", "HEIGHT_OUT_OF_RANGE"),
        (_pictures(scale=3), "pictures.scale", "SCALE_OUT_OF_RANGE"),
        (_pictures(theme=7), "pictures.theme", "UNKNOWN_THEME"),
        (pb.Options(stems=pb.StemsOptions(kinds=[1, 9])), "stems.kinds[1]", "UNKNOWN_STEM_KIND"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(
    options: pb.Options, field: str, reason: str
) -> None:
    request = SubmitAnalysisRequest(
        source=SOURCE,
        features=[FEATURE_STEMS, FEATURE_PREPARE, FEATURE_VIDEO, FEATURE_PICTURES],
        options=options,
    )
    with pytest.raises(InvalidRequest) as refused:
        validate.new_job(request, longest_run=HOUR)
    (violation,) = refused.value.violations
    assert (violation.field, violation.reason) == (f"options.{field}", reason)


@pytest.mark.parametrize("features", [[], [FEATURE_PITCH]])
@pytest.mark.parametrize("name", BOTH)
def test_options_without_their_feature_are_refused(features: list[int], name: str) -> None:
    options = pb.Options()
    getattr(options, name).SetInParent()
    request = SubmitAnalysisRequest(source=SOURCE, features=features, options=options)
    with pytest.raises(InvalidRequest) as refused:
        validate.new_job(request, longest_run=HOUR)
    (violation,) = refused.value.violations
    assert violation.field == f"options.{name}"
    assert violation.reason == "OPTIONS_WITHOUT_FEATURE"


def test_a_videos_defaults_are_a_thumbnail_and_a_contact_sheet() -> None:
    found = options_of(pb.Options(video=VideoOptionsMessage(sheet_rows=2))).video
    made = (VideoProduct.THUMBNAILS, VideoProduct.CONTACT_SHEET)
    assert found == VideoOptions(products=made, sheet_rows=2)
    # Facts are in every result, so to name them beside others asks for nothing more.
    facts = options_of(pb.Options(video=VideoOptionsMessage(products=[4, 1, 4]))).video
    assert facts == VideoOptions(products=(VideoProduct.PROXY,))


def test_wav_takes_floating_point() -> None:
    options = prepare(format=pb.PrepareOptions.FORMAT_WAV, bits=32)
    assert list(options_violations("options", options, BOTH)) == []


def test_the_default_features_are_the_first_eight() -> None:
    new = validate.new_job(SubmitAnalysisRequest(source=SOURCE), longest_run=HOUR)
    assert new.features == validate.ALL_FEATURES[:8]
    assert new.features[-1] == "embedding"


def test_options_make_another_job_of_the_same_request_id() -> None:
    def hash_of(options: pb.Options | None) -> str:
        request = SubmitAnalysisRequest(source=SOURCE, features=[FEATURE_STEMS], options=options)
        return payload_hash(validate.new_job(request, longest_run=HOUR))

    model = pb.Options(stems=pb.StemsOptions(kinds=[3]))
    repeat = pb.Options(stems=pb.StemsOptions(kinds=[3, 3]))
    assert len({hash_of(None), hash_of(model), hash_of(pb.Options(stems=pb.StemsOptions()))}) == 3
    assert hash_of(model) == hash_of(repeat)


def test_options_make_another_known_result() -> None:
    wanted = Options(stems=StemsOptions()).to_spec()
    assert content_key("sha256:1", ["stems"], "e", wanted) != content_key(
        "sha256:1", ["stems"], "e"
    )
    # What was known before there were options is known yet.
    assert content_key("sha256:1", ["media"], "e") == content_key("sha256:1", ["media"], "e", None)


@pytest.mark.parametrize(
    ("features", "options", "queue"),
    [
        (["embedding"], Options(), "embeddings"),
        (["media"], Options(), "media_processing"),
        (["pitch"], Options(), "audio_processing"),
        (["pitch", "stems"], Options(), "media_processing"),
        (["prepare"], Options(), "media_processing"),
        (["loudness", "video"], Options(), "media_processing"),
        (["insights"], Options(insights=InsightsOptions()), "audio_processing"),
        (["insights"], Options(insights=InsightsOptions(language_model=True)), "ai_analysis"),
        (["stems"], Options(stems=StemsOptions(kinds=(StemKind.MODEL,))), "ai_analysis"),
    ],
)
def test_a_job_goes_to_the_queue_of_its_heaviest_feature(
    features: list[str], options: Options, queue: str
) -> None:
    assert queue_for(features, options) == queue


def test_an_item_has_its_batchs_options_or_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    model = pb.Options(stems=pb.StemsOptions(kinds=[3]))
    items = [
        SubmitBatchRequest.Item(source=SOURCE),
        SubmitBatchRequest.Item(source=SOURCE, options=model),
        SubmitBatchRequest.Item(source=SOURCE, features=[FEATURE_PITCH]),
        SubmitBatchRequest.Item(source=SOURCE, features=[FEATURE_PITCH], options=model),
    ]
    request = SubmitBatchRequest(
        items=items,
        features=[FEATURE_STEMS],
        options=pb.Options(stems=pb.StemsOptions(kinds=[2])),
    )
    rules = SourceRules.of(())
    new = validate.new_batch(request, MediaRoots((str(tmp_path),)), rules, longest_run=HOUR)
    found = [Options.of_spec(job.spec).stems for _, job in new.items]
    assert found == [
        StemsOptions(kinds=(StemKind.FOREGROUND_BACKGROUND,)),
        StemsOptions(kinds=(StemKind.MODEL,)),
        None,
    ]
    queues = [job.queue for _, job in new.items]
    assert queues == ["media_processing", "ai_analysis", "audio_processing"]
    (refused,) = new.refused
    assert (refused.index, refused.reason) == (3, "OPTIONS_WITHOUT_FEATURE")
    assert refused.message.startswith("items[3].options.stems:")


def test_the_clients_options_are_the_contracts() -> None:
    options = ClientOptions(
        stems=ClientStems(kinds=(ClientKind.MODEL,)),
        prepare=ClientPrepare(
            format=ClientFormat.WAV, channels=PreparedChannels.MONO, loudness_lufs=-16
        ),
    )
    message = encode(options)
    assert isinstance(message, pb.Options)
    assert options_of(message) == Options(
        stems=StemsOptions(kinds=(StemKind.MODEL,)),
        prepare=PrepareOptions(
            format=AudioFormat.WAV, mono=True, loudness_lufs=-16.0, true_peak_ceiling_dbtp=-1.0
        ),
    )
