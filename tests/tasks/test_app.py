import subprocess

import pytest

from harken.jobs.job import JobKind
from harken.settings import Settings
from harken.tasks import names
from harken.tasks.app import make_app
from harken.tasks.queues import (
    ANALYSIS_QUEUES,
    QUEUES,
    broker_settings,
    celery_priority,
    queue_for,
)

SETTINGS = Settings(
    broker_url="redis://broker/1",
    result_backend="redis://backend/2",
    concurrency=3,
    task_time_limit_s=600,
    task_soft_time_limit_s=500,
    max_tasks_per_child=7,
)


@pytest.fixture
def app():
    """An app of its own; the current one stays."""
    from celery import _state

    before = _state.get_current_app()
    made = make_app(SETTINGS)
    yield made
    made.close()
    before.set_current()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("broker_url", "redis://broker:6379/1"),
        ("result_backend", "redis://backend:6379/2"),
        ("accept_content", ["json"]),
        ("task_serializer", "json"),
        ("result_serializer", "json"),
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", False),
        ("worker_consumer", "harken.tasks.consumer:PromptConsumer"),
        ("worker_disable_prefetch", True),
        ("worker_prefetch_multiplier", 1),
        ("worker_concurrency", 3),
        ("worker_max_tasks_per_child", 7),
        ("task_time_limit", 600),
        ("task_soft_time_limit", 500),
        ("result_expires", 24 * 3600),
        ("broker_pool_limit", 10),
        ("broker_connection_retry_on_startup", True),
        ("task_create_missing_queues", False),
        ("task_default_queue", "default"),
        ("enable_utc", True),
        ("timezone", "UTC"),
    ],
)
def test_the_app_is_set_as_its_users_expect(app, setting, value):
    assert app.conf[setting] == value


def test_the_default_limits_are_3300_and_3600_seconds():
    settings = Settings()
    assert (settings.task_soft_time_limit_s, settings.task_time_limit_s) == (3300, 3600)


def test_there_are_six_queues_one_of_them_for_maintenance(app):
    assert [queue.name for queue in app.conf.task_queues] == [
        "default",
        "audio_processing",
        "ai_analysis",
        "embeddings",
        "media_processing",
        "maintenance",
    ]
    assert set(QUEUES) - set(ANALYSIS_QUEUES) == {"maintenance"}


def test_a_message_sent_without_a_queue_goes_where_its_task_is_run(app):
    assert app.amqp.router.route({}, names.ANALYZE)["queue"].name == "audio_processing"
    for name in (names.task_of(JobKind.EXPORT), names.CLEAN_UP):
        assert app.amqp.router.route({}, name)["queue"].name == "maintenance"


def test_no_two_queues_share_their_messages(app):
    keys = {(queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues}
    assert len(keys) == len(QUEUES)


def test_redis_keeps_all_ten_priorities_apart_and_serves_the_most_urgent_first(app):
    options = app.conf.broker_transport_options
    assert options["priority_steps"] == list(range(10))
    assert options["queue_order_strategy"] == "priority"


@pytest.mark.parametrize(("hard", "visible"), [(3600, 7200), (60, 7200), (10_000, 20_000)])
def test_a_message_is_not_sent_again_while_its_job_may_still_run(hard, visible):
    options = broker_settings(Settings(task_time_limit_s=hard))["broker_transport_options"]
    assert options["visibility_timeout"] == visible


def test_old_results_are_cleaned_up_every_hour(app):
    entry = app.conf.beat_schedule["clean-up"]
    assert entry["task"] == names.CLEAN_UP
    assert entry["schedule"].total_seconds() == 3600


@pytest.mark.parametrize(("priority", "celerys"), [(9, 0), (5, 4), (0, 9)])
def test_the_most_urgent_is_redis_lowest_number(priority, celerys):
    assert celery_priority(priority) == celerys


@pytest.mark.parametrize(
    ("features", "queue"),
    [
        (("embedding",), "embeddings"),
        (("media",), "media_processing"),
        (("rhythm",), "audio_processing"),
        (("media", "embedding"), "audio_processing"),
        (("media", "rhythm", "embedding"), "audio_processing"),
    ],
)
def test_a_job_goes_to_the_queue_of_its_features(features, queue):
    assert queue_for(features) == queue


def run(python, environment):
    program = (
        "from harken.tasks.app import app; app.loader.import_default_modules();"
        "print(app.conf.broker_url, *sorted(n for n in app.tasks if n.startswith('harken')))"
    )
    return subprocess.run(
        [python, "-c", program], env=environment, capture_output=True, text=True, check=False
    )


def test_the_app_of_the_module_reads_the_environment_and_knows_all_tasks(python):
    """What `celery -A harken.tasks.app` loads."""
    done = run(python, {"CELERY_BROKER_URL": "redis://theirs/9"})
    tasks = sorted([*names.JOB_TASKS, *names.MAINTENANCE_TASKS])
    assert done.stdout.split() == ["redis://theirs/9", *tasks], done.stderr


def test_a_variable_that_cannot_be_used_is_named_when_the_app_is_loaded(python):
    done = run(python, {"HARKEN_CONCURRENCY": "many"})
    assert done.returncode != 0
    assert "HARKEN_CONCURRENCY: 'many' cannot be used" in done.stderr
