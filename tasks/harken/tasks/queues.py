"""The queues, which job goes to which, and the broker as all sides have to see it. It imports no task."""

from collections.abc import Collection
from typing import Any

from kombu import Exchange, Queue

from harken.jobs.options import Options, StemKind
from harken.redis.address import broker_address
from harken.redis.connections import celery_options
from harken.settings import Settings
from harken.tasks.signing import SERIALIZER, Signing

DEFAULT = "default"
AUDIO = "audio_processing"
AI = "ai_analysis"
EMBEDDINGS = "embeddings"
MEDIA = "media_processing"
MAINTENANCE = "maintenance"

# Those that carry analyses, and the one for what keeps the house in order and for jobs of all other kinds.
ANALYSIS_QUEUES = (DEFAULT, AUDIO, AI, EMBEDDINGS, MEDIA)
QUEUES = (*ANALYSIS_QUEUES, MAINTENANCE)

EXCHANGE = Exchange("harken", type="direct")

HIGHEST_PRIORITY = 9

# A running job's message is not sent twice: where the hard time limit is set higher, it is twice that.
VISIBILITY_TIMEOUT_S = 7200
CONNECT_WITHIN_S = 5
ANSWER_WITHIN_S = 30
RESULT_EXPIRES_S = 24 * 3600  # progress is of no use a day later; results are kept in SQL


def queue_for(features: Collection[str], options: Options | None = None) -> str:
    """The queue of a job by the heaviest of the features it wants."""
    wanted = set(features)
    if options is not None and options.stems and StemKind.MODEL in options.stems.kinds:
        return AI
    if "transcript" in wanted:
        return AI
    if options is not None and options.insights and options.insights.language_model:
        return AI
    if wanted & {"stems", "prepare", "video", "pictures"}:
        return MEDIA
    if wanted == {"embedding"}:
        return EMBEDDINGS
    if wanted == {"media"}:
        return MEDIA
    return AUDIO


def celery_priority(priority: int) -> int:
    """A job's priority, 9 the most urgent, as Celery's Redis transport counts it: 0 the most urgent."""
    return HIGHEST_PRIORITY - priority


def broker_settings(settings: Settings) -> dict[str, Any]:
    """Celery's settings that publisher and worker have to agree on."""
    serializer = "json"
    if settings.signing_keys:
        Signing(settings.signing_keys).register()
        serializer = SERIALIZER
    address = broker_address(settings.broker_url)
    url = address.celery_url if address else settings.broker_url
    tls = address.tls if address else None
    return {
        "broker_url": url,
        # Celery prefers a CELERY_BROKER_URL of the environment to `broker_url`, but not to these.
        "broker_read_url": url,
        "broker_write_url": url,
        "broker_use_ssl": False if tls is None else dict(tls),
        "broker_connection_retry_on_startup": True,
        # However long Redis is away: a worker that gives up would have to be started by hand.
        "broker_connection_max_retries": None,
        "broker_pool_limit": 10,
        "broker_transport_options": {
            "visibility_timeout": max(VISIBILITY_TIMEOUT_S, 2 * settings.task_time_limit_s),
            "priority_steps": list(range(HIGHEST_PRIORITY + 1)),
            "queue_order_strategy": "priority",
            "socket_timeout": ANSWER_WITHIN_S,
            "socket_connect_timeout": CONNECT_WITHIN_S,
            "health_check_interval": 10,
            **(celery_options(address, connect_within_s=CONNECT_WITHIN_S) if address else {}),
        },
        "accept_content": [serializer],
        "task_serializer": serializer,
        "result_serializer": serializer,
        "task_default_queue": DEFAULT,
        "task_queues": [Queue(name, EXCHANGE, routing_key=name) for name in QUEUES],
        "task_create_missing_queues": False,
        "enable_utc": True,
        "timezone": "UTC",
    }
