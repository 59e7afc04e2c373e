import os
import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.settings import VARIABLES, Settings, SettingsError, at_place, parse_quota

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"

# Each variable with a text, and what it comes to.
EXAMPLES = {
    "HARKEN_DATABASE_URL": ("postgresql://u:p@h/n", "postgresql://u:p@h/n"),
    "HARKEN_BROKER_URL": ("redis://h:1/2", "redis://h:1/2"),
    "HARKEN_RESULT_BACKEND": ("redis://h:1/3", "redis://h:1/3"),
    "HARKEN_LISTEN": ("0.0.0.0:1", "0.0.0.0:1"),
    "HARKEN_MEDIA_ROOTS": ("/a:/b c:", ("/a", "/b c")),
    "HARKEN_CONCURRENCY": ("3", 3),
    "HARKEN_TASK_TIME_LIMIT": ("7000", 7000),
    "HARKEN_TASK_SOFT_TIME_LIMIT": ("60", 60),
    "HARKEN_MAX_TASKS_PER_CHILD": ("1", 1),
    "HARKEN_MAX_RETRIES": ("0", 0),
    "HARKEN_MAX_CRASHES": ("1", 1),
    "HARKEN_RETENTION_DAYS": ("7", 7),
    "HARKEN_BACKUP_DIR": ("/backups", "/backups"),
    "HARKEN_BACKUPS_KEPT": ("3", 3),
    "HARKEN_GRACE_PERIOD": ("0", 0),
    "HARKEN_OWNER_WEIGHTS": ("ann=2,bob=0.5", "ann=2,bob=0.5"),
    "HARKEN_KILL_AFTER": ("0", 0),
    "HARKEN_MAX_MEMORY_PER_CHILD": ("0", 0),
    "HARKEN_LOG_LEVEL": ("warning", "WARNING"),
    "HARKEN_LOG_FORMAT": ("json", "json"),
    "HARKEN_METRICS_LISTEN": ("9464", "127.0.0.1:9464"),
    "HARKEN_LEASE": ("60", 60),
    "HARKEN_TLS_CERT": ("/cert.pem", "/cert.pem"),
    "HARKEN_TLS_KEY": ("/key.pem", "/key.pem"),
    "HARKEN_TLS_CLIENT_CA": ("/ca.pem", "/ca.pem"),
    "HARKEN_INSECURE": ("1", True),
    "HARKEN_AUTHENTICATION": ("KEYS", "keys"),
    "HARKEN_JWT_ISSUER": ("https://i.example", "https://i.example"),
    "HARKEN_JWT_AUDIENCE": ("harken", "harken"),
    "HARKEN_JWT_KEYS_URL": ("http://localhost:1/k", "http://localhost:1/k"),
    "HARKEN_JWT_OWNER_CLAIM": ("email", "email"),
    "HARKEN_JWT_SCOPE_CLAIM": ("roles", "roles"),
    "HARKEN_QUOTA_QUEUED_JOBS": ("10k,ann=none", "10k,ann=none"),
    "HARKEN_QUOTA_RUNNING_JOBS": ("4", "4"),
    "HARKEN_QUOTA_STORED_BYTES": ("10G", "10G"),
    "HARKEN_QUOTA_SUBMITS_PER_SECOND": ("0.5", "0.5"),
    "HARKEN_QUOTA_STREAMS": ("100", "100"),
    "HARKEN_QUOTA_CONNECTIONS": ("100", "100"),
    "HARKEN_MAX_AUDIO_HOURS": ("5", 5),
    "HARKEN_SOURCES": ("none", "none"),
    "HARKEN_ALLOW_PRIVATE_SOURCES": ("10.0.0.0/8, fd00::/8", "10.0.0.0/8, fd00::/8"),
    "HARKEN_MAX_FETCH": ("1", 1),
    "HARKEN_FETCH_TIMEOUT": ("60", 60),
    "HARKEN_STORAGE_URL": ("/kept here", "file:///kept%20here"),
    "HARKEN_MAX_UPLOAD": ("10", 10),
    "HARKEN_UPLOAD_HOURS": ("1", 1),
    "HARKEN_SIGNING_KEYS": ("a" * 32 + "," + "b" * 32, "a" * 32 + "," + "b" * 32),
    "HARKEN_STEMS_MODEL": ("/models/stems.onnx", "/models/stems.onnx"),
    "HARKEN_TRANSCRIPTION_MODEL": ("/models/whisper", "/models/whisper"),
    "HARKEN_LANGUAGE_MODEL_URL": ("http://llm:8000/v1", "http://llm:8000/v1"),
    "HARKEN_LANGUAGE_MODEL": ("llama3.2:3b", "llama3.2:3b"),
    "HARKEN_LANGUAGE_MODEL_KEY": ("sk-1", "sk-1"),
    "HARKEN_LANGUAGE_MODEL_TIMEOUT": ("5", 5),
    "HARKEN_LANGUAGE_MODEL_SEES_NAMES": ("1", True),
}
NUMBERS = [name for name, (_, value) in EXAMPLES.items() if type(value) is int]
# What a variable is of use with only.
COMPANY = {
    "HARKEN_TLS_CERT": {"HARKEN_TLS_KEY": "/key.pem"},
    "HARKEN_TLS_KEY": {"HARKEN_TLS_CERT": "/cert.pem"},
    "HARKEN_TLS_CLIENT_CA": {"HARKEN_TLS_CERT": "/cert.pem", "HARKEN_TLS_KEY": "/key.pem"},
}
# Those for which 0 makes no sense.
MAY_BE_0 = {
    "HARKEN_MAX_RETRIES",
    "HARKEN_GRACE_PERIOD",
    "HARKEN_KILL_AFTER",
    "HARKEN_MAX_MEMORY_PER_CHILD",
}
POSITIVE = sorted(set(NUMBERS) - MAY_BE_0)

BY_NAME = {variable.name: variable for variable in VARIABLES}


def read(**environment):
    return Settings.from_environment(environment)


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
def test_each_variable_is_read(name):
    text, value = EXAMPLES[name]
    settings = read(**{name: text}, **COMPANY.get(name, {}))
    assert getattr(settings, BY_NAME[name].field) == value
    assert settings != read()


def test_each_setting_has_a_variable():
    assert {field.name for field in fields(Settings)} == {v.field for v in VARIABLES}


@pytest.mark.parametrize(
    ("name", "fallback"), [(v.name, fallback) for v in VARIABLES for fallback in v.fallbacks]
)
def test_each_fall_back_is_read_and_yields_to_harkens_own_name(name, fallback):
    text, value = EXAMPLES[name]
    field = BY_NAME[name].field
    assert getattr(read(**{fallback: text}), field) == value
    own = "100" if isinstance(value, int) else "redis://own/0"
    assert str(getattr(read(**{fallback: text, name: own}), field)) == own


@pytest.mark.parametrize("celery", ["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"])
def test_celerys_names_win_over_redis_url_and_that_over_redis_host(celery):
    variable = next(v for v in VARIABLES if celery in v.fallbacks)
    environment = {celery: "redis://one/0", "REDIS_URL": "redis://two/0", "REDIS_HOST": "three"}
    found = []
    for name in (celery, "REDIS_URL", "REDIS_HOST"):
        found.append(getattr(read(**environment), variable.field))
        del environment[name]
    assert found == ["redis://one/0", "redis://two/0", "redis://three:6379/0"]


def test_an_empty_variable_counts_as_unset():
    empty = {name: "" for v in VARIABLES for name in (v.name, *v.fallbacks)}
    assert read(**empty, REDIS_HOST="") == read()


def test_harken_up_sees_only_harkens_own_names():
    stray = {name: EXAMPLES[v.name][0] for v in VARIABLES for name in v.fallbacks}
    stray |= {"REDIS_HOST": "stray", "REDIS_PORT": "not a port"}
    assert Settings.from_environment(stray, fallbacks=False) == Settings()
    own = Settings.from_environment({**stray, "HARKEN_MAX_RETRIES": "9"}, fallbacks=False)
    assert own == Settings(max_retries=9)


def test_the_command_line_wins():
    environment = {"HARKEN_LISTEN": "a:1", "HARKEN_MAX_RETRIES": "1"}
    settings = Settings.from_environment(environment, listen="b:2", max_retries=None)
    assert (settings.listen, settings.max_retries) == ("b:2", 1)


def test_the_backend_is_the_broker_unless_it_is_given():
    assert read(HARKEN_BROKER_URL="redis://h/5").result_backend == "redis://h/5"


def test_without_a_root_the_current_folder_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read().media_roots == (str(tmp_path),)


def test_a_worker_runs_as_many_jobs_as_there_are_processors():
    assert read().concurrency == os.cpu_count()


def test_redis_is_put_together_from_its_parts():
    settings = read(REDIS_HOST="cache", REDIS_PORT="7000", REDIS_DB="3", REDIS_PASSWORD="pw")
    assert settings.broker_url == settings.result_backend == "redis://:pw@cache:7000/3"


def test_redis_parts_without_a_host_are_not_looked_at():
    assert read(REDIS_PORT="x", REDIS_DB="y", REDIS_PASSWORD="z") == read()


def test_redis_may_have_an_address_of_ipv6():
    assert read(REDIS_HOST="::1").broker_url == "redis://[::1]:6379/0"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_password_arrives_as_it_was_given(password):
    url = urlsplit(read(REDIS_HOST="cache", REDIS_PASSWORD=password).broker_url)
    assert unquote(url.password) == password
    assert (url.hostname, url.port, url.path) == ("cache", 6379, "/0")


@pytest.mark.parametrize(
    ("name", "text"), [("REDIS_PORT", "tcp://10.0.0.1:6379"), ("REDIS_DB", "jobs")]
)
def test_a_part_of_redis_that_is_no_number_is_named(name, text):
    """Kubernetes sets REDIS_PORT to a URL where a service is called redis."""
    with pytest.raises(SettingsError) as caught:
        read(REDIS_HOST="cache", **{name: text})
    assert caught.value.variable == name
    assert text in caught.value.problem


@pytest.mark.parametrize("text", ["two", "1.5", "-1", "1e3", " "])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_none_is_an_error_that_names_the_variable(name, text):
    with pytest.raises(SettingsError) as caught:
        read(**{name: text})
    assert caught.value.variable == name
    assert str(caught.value).startswith(f"{name}: {text!r} cannot be used: it has to be ")


@pytest.mark.parametrize("name", POSITIVE)
def test_nothing_is_no_number_where_one_is_needed(name):
    with pytest.raises(SettingsError, match="at least 1") as caught:
        read(**{name: "0"})
    assert caught.value.variable == name


def test_an_error_names_the_fall_back_when_that_was_wrong():
    with pytest.raises(SettingsError) as caught:
        read(CELERY_TASK_TIME_LIMIT="soon")
    assert caught.value.variable == "CELERY_TASK_TIME_LIMIT"


def test_an_unknown_level_is_an_error_that_lists_the_known_ones():
    with pytest.raises(SettingsError, match=r"HARKEN_LOG_LEVEL.*DEBUG, INFO, WARNING, ERROR"):
        read(HARKEN_LOG_LEVEL="loud")


@pytest.mark.parametrize(("hard", "soft"), [("3600", 3300), ("60", 55), ("36000", 33000), ("2", 1)])
def test_who_sets_the_hard_limit_alone_gets_a_soft_one_below_it(hard, soft):
    assert read(CELERY_TASK_TIME_LIMIT=hard).task_soft_time_limit_s == soft


@pytest.mark.parametrize("soft", ["60", "61"])
def test_the_soft_limit_has_to_be_below_the_hard_one(soft):
    with pytest.raises(SettingsError, match=r"HARKEN_TASK_SOFT_TIME_LIMIT.*HARKEN_TASK_TIME_LIMIT"):
        read(HARKEN_TASK_SOFT_TIME_LIMIT=soft, HARKEN_TASK_TIME_LIMIT="60")


def test_a_root_with_a_colon_is_refused_rather_than_read_as_two():
    with pytest.raises(SettingsError, match=r"HARKEN_MEDIA_ROOTS.*colon"):
        Settings(media_roots=("/music/disc 1:2",))


def test_a_child_process_reads_the_same_settings():
    environment = {name: text for name, (text, _) in EXAMPLES.items()}
    settings = read(**environment)
    assert Settings.from_environment(settings.to_environment(), fallbacks=False) == settings
    assert settings.to_environment().keys() == EXAMPLES.keys()


def test_a_child_process_reads_the_same_defaults():
    settings = read()
    assert Settings.from_environment(settings.to_environment()) == settings


def test_the_document_has_a_row_for_each_variable_as_it_is():
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("| `HARKEN_")
    ]
    names = [[name.strip("`"), re.findall(r"`([^`]+)`", rest)] for name, _, _, rest in rows]
    assert names == [[v.name, list(v.fallbacks)] for v in VARIABLES]
    assert [row[2] for row in rows] == [v.meaning for v in VARIABLES]


def test_the_documents_defaults_are_the_ones_in_force():
    told = dict(
        re.findall(r"^\| `(HARKEN_\w+)` \| `([^`]*)` \|", DOCUMENT.read_text(), re.MULTILINE)
    )
    in_words = {
        "HARKEN_RESULT_BACKEND",
        "HARKEN_MEDIA_ROOTS",
        "HARKEN_CONCURRENCY",
        "HARKEN_OWNER_WEIGHTS",
        "HARKEN_BACKUP_DIR",
        "HARKEN_METRICS_LISTEN",
        "HARKEN_TLS_CERT",
        "HARKEN_TLS_KEY",
        "HARKEN_TLS_CLIENT_CA",
        "HARKEN_INSECURE",
        "HARKEN_JWT_ISSUER",
        "HARKEN_JWT_AUDIENCE",
        "HARKEN_JWT_KEYS_URL",
        "HARKEN_QUOTA_QUEUED_JOBS",
        "HARKEN_QUOTA_RUNNING_JOBS",
        "HARKEN_QUOTA_STORED_BYTES",
        "HARKEN_QUOTA_SUBMITS_PER_SECOND",
        "HARKEN_QUOTA_STREAMS",
        "HARKEN_QUOTA_CONNECTIONS",
        "HARKEN_STORAGE_URL",
        "HARKEN_ALLOW_PRIVATE_SOURCES",
        "HARKEN_SIGNING_KEYS",
        "HARKEN_STEMS_MODEL",
        "HARKEN_TRANSCRIPTION_MODEL",
        "HARKEN_LANGUAGE_MODEL_URL",
        "HARKEN_LANGUAGE_MODEL",
        "HARKEN_LANGUAGE_MODEL_KEY",
        "HARKEN_LANGUAGE_MODEL_SEES_NAMES",
    }
    assert told.keys() == BY_NAME.keys() - in_words
    assert told == {name: str(getattr(Settings(), BY_NAME[name].field)) for name in told}


@pytest.mark.parametrize(
    ("text", "address"),
    [("9464", "127.0.0.1:9464"), (":9464", "127.0.0.1:9464"), ("[::1]:1", "[::1]:1")],
)
def test_a_port_for_metrics_is_one_of_this_machine_alone(text, address):
    assert read(HARKEN_METRICS_LISTEN=text).metrics_listen == address


@pytest.mark.parametrize("text", ["here", "localhost", "127.0.0.1:70000", "1:-1"])
def test_what_is_no_port_for_metrics_is_refused(text):
    with pytest.raises(SettingsError, match=r"HARKEN_METRICS_LISTEN: .* it has to be HOST:PORT"):
        read(HARKEN_METRICS_LISTEN=text)


@pytest.mark.parametrize(
    "text", ["llm:8000", "ftp://llm/v1", "http://", "http://llm/v1?key=1", "http://a:b@llm/v1"]
)
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(SettingsError, match=r"HARKEN_LANGUAGE_MODEL_URL: .* cannot be used: it"):
        read(HARKEN_LANGUAGE_MODEL_URL=text)


def test_an_unknown_format_of_the_log_is_refused():
    with pytest.raises(SettingsError, match=r"HARKEN_LOG_FORMAT: .* one of text, json"):
        read(HARKEN_LOG_FORMAT="xml")


def test_a_lease_that_could_not_be_renewed_in_time_is_refused():
    assert read(HARKEN_LEASE="3").lease_s == 3
    with pytest.raises(SettingsError, match=r"HARKEN_LEASE: 2 s is too short.*at least 3"):
        read(HARKEN_LEASE="2")


@pytest.mark.parametrize(
    ("address", "place", "own"),
    [
        ("127.0.0.1:9464", 0, "127.0.0.1:9464"),
        ("[::1]:9464", 2, "[::1]:9466"),
        ("127.0.0.1:0", 1, "127.0.0.1:0"),
        ("", 1, ""),
    ],
)
def test_processes_side_by_side_have_ports_side_by_side(address, place, own):
    assert at_place(address, place) == own


@pytest.mark.parametrize(
    ("text", "everyone", "owners"),
    [
        ("", None, {}),
        ("100", 100, {}),
        ("1.5k,ann=2M, bob=none ,a=b=3", 1500, {"ann": 2_000_000, "bob": None, "a=b": 3}),
        ("ann=0", None, {"ann": 0}),
        ("none,ann=1T", None, {"ann": 10**12}),
    ],
)
def test_a_quota_is_a_number_for_all_and_others_for_some(text, everyone, owners):
    assert parse_quota(text) == (everyone, owners)


@pytest.mark.parametrize("text", ["x", "ann=", "ann=x", "-1", "inf", "nan", "1K", "ann=1,,=,2x"])
def test_what_is_no_quota_is_refused(text):
    with pytest.raises(SettingsError, match=r"HARKEN_QUOTA_STREAMS: .* neither a number nor OWNER"):
        read(HARKEN_QUOTA_STREAMS=text)


@pytest.mark.parametrize("text", ["", "none", "keys", "jwt", "keys,jwt", " KEYS , jwt"])
def test_authentication_is_by_keys_or_tokens_or_both(text):
    given = {"HARKEN_JWT_ISSUER": "https://i.example", "HARKEN_JWT_AUDIENCE": "harken"}
    settings = read(HARKEN_AUTHENTICATION=text, **given)
    assert settings.ways_in == {way for way in ("keys", "jwt") if way in text.lower()}


@pytest.mark.parametrize("text", ["yes", "keys,none", "none,none", "keys;jwt", ","])
def test_another_authentication_is_refused(text):
    with pytest.raises(SettingsError, match=r"HARKEN_AUTHENTICATION: .* none, keys, jwt"):
        read(HARKEN_AUTHENTICATION=text)


@pytest.mark.parametrize(("text", "on"), [("1", True), ("TRUE", True), ("0", False), ("no", False)])
def test_insecure_is_said_by_yes_or_no(text, on):
    assert read(HARKEN_INSECURE=text).insecure is on
    with pytest.raises(SettingsError, match="HARKEN_INSECURE"):
        read(HARKEN_INSECURE="maybe")


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "gs://bucket", "az://account/x"])
def test_a_storage_can_be_at_a_provider(url):
    assert read(HARKEN_STORAGE_URL=url).storage_url == url


@pytest.mark.parametrize("url", ["folder", "ftp://x", "file://host/x"])
def test_what_is_no_storage_is_refused(url):
    with pytest.raises(SettingsError, match=r"HARKEN_STORAGE_URL: .* it has to be a folder"):
        read(HARKEN_STORAGE_URL=url)


def test_what_may_be_fetched_is_read_entry_by_entry():
    assert read().source_entries == ("https",)
    assert read(HARKEN_SOURCES="none").source_entries == ()
    assert read(HARKEN_SOURCES=" https, s3://b/p ,").source_entries == ("https", "s3://b/p")


# Of each what the rules of the fetching itself make of it: tests/media/test_uri.py.
@pytest.mark.parametrize(
    "text", ["http", "none,https", "https://", "https://h/path", "s3", "s3://", "s3:///a", "h.test"]
)
def test_what_cannot_be_fetched_is_refused_as_a_setting(text):
    with pytest.raises(SettingsError, match=r"HARKEN_SOURCES: .* is none of https"):
        read(HARKEN_SOURCES=text)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example.org", "10.0.0.0/8;fd00::/8"])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(SettingsError, match="HARKEN_ALLOW_PRIVATE_SOURCES"):
        read(HARKEN_ALLOW_PRIVATE_SOURCES=text)
