from datetime import UTC, datetime, timedelta

import pytest

from core import InvalidOption, UnknownOption
from core.options import Options


def test_unknown_option_names_the_nearest_known_one() -> None:
    with pytest.raises(UnknownOption, match=r"'max_retry'. Did you mean 'max_retries'"):
        Options.check("actor", {"max_retry": 3})


def test_option_of_the_declaration_is_refused_at_send() -> None:
    with pytest.raises(UnknownOption):
        Options.check("send", {"throws": ValueError})


@pytest.mark.parametrize("limit", [{"concurrency": 2}, {"rate_limit": "5/s"}])
def test_limit_is_the_actors_and_refused_at_send(limit: dict[str, object]) -> None:
    # Nobody would know it when the run is relayed: it would wait for ever.
    with pytest.raises(UnknownOption):
        Options.check("send", limit)


def test_later_layers_win_and_zero_is_a_value() -> None:
    layers = ({"max_retries": 5}, {"max_retries": 3}, {"max_retries": 0})
    resolved = Options.resolve(*layers)
    assert resolved.max_retries == 0


def test_durations_are_timedeltas_or_milliseconds() -> None:
    given = {"min_backoff": timedelta(seconds=1.5), "max_backoff": 2000}
    assert Options.check("actor", given) == {"min_backoff": 1500, "max_backoff": 2000}


def test_eta_is_kept_in_utc_milliseconds() -> None:
    eta = datetime(2026, 1, 1, tzinfo=UTC)
    assert Options.check("send", {"eta": eta}) == {"eta": 1767225600000}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priority", 101),
        ("priority", True),
        ("queue_name", "1st"),
        ("queue_name", "mail/out"),
        ("queue_name", "x" * 201),
        ("max_retries", -1),
        ("min_backoff", 1.5),
        ("eta", datetime(2026, 1, 1)),  # noqa: DTZ001  # without a zone on purpose
        ("delay", timedelta(seconds=-1)),
        ("atomic", 1),
        ("concurrency", 0),
        ("concurrency", 2**31),
    ],
)
def test_wrong_value_is_refused_where_it_is_written(name: str, value: object) -> None:
    where = "send" if name in ("eta", "delay") else "actor"
    with pytest.raises(InvalidOption, match=name):
        Options.check(where, {name: value})
