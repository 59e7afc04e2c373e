"""Options of videos: as a value of the domain, checked, and as a message again."""

from collections.abc import Iterable
from typing import Any, Final

from harken.jobs.options import ImageFormat, VideoOptions, VideoProduct
from harken.server.errors import Violation
from harken.v1 import video_pb2 as pb

# Published in video.proto.
MOST_THUMBNAILS: Final = 100
THUMBNAIL_TIMES_S: Final = (0.0, 172_800.0)
THUMBNAIL_HEIGHTS: Final = (16, 2_160)
SHEET_COLUMNS: Final = (1, 12)
SHEET_ROWS: Final = (1, 20)
SHEET_WIDTHS: Final = (320, 4_096)
PROXY_HEIGHTS: Final = (120, 1_080)
PROXY_FPS: Final = (1.0, 60.0)

_PRODUCTS: Final = {
    product: pb.VideoOptions.Product.Value(f"PRODUCT_{product.name}") for product in VideoProduct
}
_NUMBERS: Final = {number: product for product, number in _PRODUCTS.items()}
_RANGES: Final[tuple[tuple[str, VideoProduct, tuple[float, float], str], ...]] = (
    ("thumbnail_height", VideoProduct.THUMBNAILS, THUMBNAIL_HEIGHTS, "pixels"),
    ("sheet_columns", VideoProduct.CONTACT_SHEET, SHEET_COLUMNS, "columns"),
    ("sheet_rows", VideoProduct.CONTACT_SHEET, SHEET_ROWS, "rows"),
    ("sheet_width", VideoProduct.CONTACT_SHEET, SHEET_WIDTHS, "pixels"),
    ("proxy_height", VideoProduct.PROXY, PROXY_HEIGHTS, "pixels"),
    ("proxy_fps", VideoProduct.PROXY, PROXY_FPS, "frames a second"),
)


def video_violations(field: str, message: pb.VideoOptions) -> Iterable[Violation]:
    """What is wrong with options of a video."""
    for index, number in enumerate(message.products):
        if number not in _NUMBERS:
            known = ", ".join(f"PRODUCT_{product.name}" for product in VideoProduct)
            description = f"{number} is nothing that is made of videos. There are {known}."
            yield Violation(f"{field}.products[{index}]", "UNKNOWN_PRODUCT", description)
    if message.image_format not in pb.VideoOptions.ImageFormat.values():
        known = ", ".join(pb.VideoOptions.ImageFormat.keys()[1:])
        description = f"{message.image_format} is not known. There are {known}."
        yield Violation(f"{field}.image_format", "UNKNOWN_IMAGE_FORMAT", description)
    products = _products(message)
    for name, product, (least, most), unit in _RANGES:
        if not message.HasField(name):  # pyright: ignore[reportArgumentType]  # a field's name
            continue
        if product not in products:
            yield _without(field, name, product)
        # Written so that NaN is refused too.
        elif not least <= getattr(message, name) <= most:
            description = f"It has to be between {least:,g} and {most:,g} {unit}."
            yield Violation(f"{field}.{name}", f"{name.upper()}_OUT_OF_RANGE", description)
    yield from _time_violations(f"{field}.thumbnail_times_s", message.thumbnail_times_s)
    if message.thumbnail_times_s and VideoProduct.THUMBNAILS not in products:
        yield _without(field, "thumbnail_times_s", VideoProduct.THUMBNAILS)


def video_options(message: pb.VideoOptions) -> VideoOptions:
    """The options of a message that has no violations."""
    chosen: dict[str, Any] = {
        name: getattr(message, name)
        for name, *_ in _RANGES
        if message.HasField(name)  # pyright: ignore[reportArgumentType]  # a field's name
    }
    png = message.image_format == pb.VideoOptions.IMAGE_FORMAT_PNG
    return VideoOptions(
        products=_products(message),
        thumbnail_times_s=tuple(message.thumbnail_times_s),
        image_format=ImageFormat.PNG if png else ImageFormat.JPEG,
        **chosen,
    )


def video_message(options: VideoOptions) -> pb.VideoOptions:
    """The message of options, with the defaults of what is made filled in."""
    return pb.VideoOptions(
        products=[_PRODUCTS[product] for product in options.products],
        thumbnail_times_s=options.thumbnail_times_s,
        image_format=pb.VideoOptions.ImageFormat.Value(f"IMAGE_FORMAT_{options.image_format.name}"),
        **{
            name: getattr(options, name)
            for name, product, *_ in _RANGES
            if product in options.products
        },
    )


def _products(message: pb.VideoOptions) -> tuple[VideoProduct, ...]:
    """What is made, each once; facts are in every result, so beside others they say nothing."""
    wanted = {_NUMBERS[number] for number in message.products if number in _NUMBERS}
    if not wanted:
        return VideoOptions().products
    others = wanted - {VideoProduct.FACTS}
    return tuple(product for product in VideoProduct if product in (others or wanted))


def _time_violations(field: str, times: Iterable[float]) -> Iterable[Violation]:
    count = 0
    least, most = THUMBNAIL_TIMES_S
    for index, time in enumerate(times):
        count += 1
        if count <= MOST_THUMBNAILS and not least <= time <= most:
            description = f"It has to be between {least:,g} and {most:,.0f} seconds."
            yield Violation(f"{field}[{index}]", "THUMBNAIL_TIME_OUT_OF_RANGE", description)
    if count > MOST_THUMBNAILS:
        description = f"There are {count:,}, of {MOST_THUMBNAILS} that a job makes at most."
        yield Violation(field, "TOO_MANY_THUMBNAILS", description)


def _without(field: str, name: str, product: VideoProduct) -> Violation:
    description = f"The products do not name PRODUCT_{product.name}, of which this is an option."
    return Violation(f"{field}.{name}", "OPTIONS_WITHOUT_PRODUCT", description)
