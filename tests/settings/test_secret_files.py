"""What can hold a secret is read from a file too, and is shown nowhere."""

import pytest

from harken.embedded.system import part_environment
from harken.settings import VARIABLES, Settings, SettingsError, secret_names

SECRET = "redis://:s3cret-and-long-enough-for-a-key@h:1/2"


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "secret"
    made.write_text(SECRET + "\n")
    return made


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.secret], ids=lambda v: v.name)
def test_a_secret_is_read_from_the_file_that_is_named(variable, file):
    for name in (variable.name, *variable.fallbacks):
        settings = Settings.from_environment({f"{name}_FILE": str(file)})
        assert getattr(settings, variable.field) == SECRET


def test_a_password_of_redis_is_read_from_a_file(tmp_path):
    (tmp_path / "password").write_text("s3c/ret")
    given = {"REDIS_HOST": "h", "REDIS_PASSWORD_FILE": str(tmp_path / "password")}
    assert Settings.from_environment(given).broker_url == "redis://:s3c%2Fret@h:6379/0"


def test_the_value_and_the_file_are_not_both_taken(file):
    given = {"HARKEN_BROKER_URL": "redis://h", "HARKEN_BROKER_URL_FILE": str(file)}
    with pytest.raises(SettingsError, match="HARKEN_BROKER_URL is set too"):
        Settings.from_environment(given)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff", b"x" * 100_000])
def test_a_file_without_a_secret_is_refused_and_not_shown(file, content):
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="HARKEN_DATABASE_URL_FILE") as caught:
        Settings.from_environment({"HARKEN_DATABASE_URL_FILE": str(file)})
    assert "two" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere cannot be read: No such file"):
        Settings.from_environment({"HARKEN_DATABASE_URL_FILE": str(tmp_path / "nowhere")})


def test_without_the_usual_names_their_files_do_not_count_either(file):
    settings = Settings.from_environment({"REDIS_URL_FILE": str(file)}, fallbacks=False)
    assert settings.broker_url == Settings().broker_url


def test_settings_do_not_show_what_they_hold_of_secrets():
    fields = {variable.field: SECRET for variable in VARIABLES if variable.secret}
    assert "s3cret" not in repr(Settings(**fields))


def test_a_part_of_harken_up_gets_the_secret_and_not_the_files_name(file):
    given = {"HARKEN_BROKER_URL_FILE": str(file), "REDIS_PASSWORD_FILE": str(file), "PATH": "/bin"}
    environment = part_environment(given, Settings.from_environment(given, fallbacks=False))
    assert environment["HARKEN_BROKER_URL"] == SECRET
    assert not {f"{name}_FILE" for name in secret_names()} & environment.keys()
    assert environment["PATH"] == "/bin"


def test_keys_that_are_too_short_are_refused_and_not_shown():
    with pytest.raises(SettingsError, match="at least 32 characters") as caught:
        Settings.from_environment({"HARKEN_SIGNING_KEYS": "a" * 32 + ",s3cret"})
    assert "s3cret" not in str(caught.value)
