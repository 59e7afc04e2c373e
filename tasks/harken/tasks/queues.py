"""The queues, which job goes to which, and the broker as all sides have to see it. It imports no task."""

from collections.abc import Collection
from typing import Any

from kombu import Exchange, Queue

from harken.jobs.options import Options, StemKind
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
RESULT_EXPIRES_S = 24 * 3600  # progress is of no use a day later; results are kept in SQL


def queue_for(features: Collection[str], options: Options | None = None) -> str:
    """The queue of a job by the heaviest of the features it wants."""
    wanted = set(features)
    if options is not None and options.stems and StemKind.MODEL in options.stems.kinds:
        return AI
    if wanted & {"stems", "prepare"}:
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
    return {
        "broker_url": settings.broker_url,
        # Celery prefers a CELERY_BROKER_URL of the environment to `broker_url`, but not to these.
        "broker_read_url": settings.broker_url,
        "broker_write_url": settings.broker_url,
        "broker_connection_retry_on_startup": True,
        # However long Redis is away: a worker that gives up would have to be started by hand.
        "broker_connection_max_retries": None,
        "broker_pool_limit": 10,
        "broker_transport_options": {
            "visibility_timeout": max(VISIBILITY_TIMEOUT_S, 2 * settings.task_time_limit_s),
            "priority_steps": list(range(HIGHEST_PRIORITY + 1)),
            "queue_order_strategy": "priority",
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "health_check_interval": 10,
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
