"""The sun's times, and that none is missed or comes twice."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from astral import Observer
from astral.sun import elevation, sunset

from core import solar

JUNE = datetime(2026, 6, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "expected"),
    [  # Berlin, 21 March 2026, by astral 3.2's own functions for a date
        ("sunrise", "05:07"),
        ("noon", "11:14"),
        ("sunset", "17:21"),
        ("dawn", "04:34"),
        ("dusk_civil", "17:55"),
    ],
)
def test_times_of_a_known_day(event: str, expected: str) -> None:
    slot = solar(event, 52.52, 13.40).next(datetime(2026, 3, 21, 0, tzinfo=UTC))
    printed = datetime.fromisoformat(f"2026-03-21T{expected}+00:00")
    assert abs(slot - printed) <= timedelta(minutes=2)


@pytest.mark.parametrize("longitude", [-179.9, -75.3, 13.4, 90, 104.8])
@pytest.mark.parametrize(
    ("event", "height"),
    [("sunrise", -0.833), ("dusk_nautical", -12)],
)
def test_every_day_has_one_sunrise_at_the_right_height(
    longitude: float, event: str, height: float
) -> None:
    place, slots = Observer(40, longitude), solar(event, 40, longitude).slots(JUNE)
    year = list(islice(slots, 366))
    gaps = [late - early for early, late in pairwise(year)]
    assert min(gaps) > timedelta(hours=23, minutes=50)
    assert max(gaps) < timedelta(hours=24, minutes=10)
    for slot in year[::30]:
        assert elevation(place, slot, with_refraction=False) == pytest.approx(
            height, abs=0.01
        )


def test_sun_times_agree_with_astral() -> None:
    place = Observer(52.52, 13.40)
    for slot in islice(solar("sunset", 52.52, 13.40).slots(JUNE), 0, 365, 17):
        assert abs(sunset(place, slot.date()) - slot) < timedelta(minutes=2)


def test_in_polar_day_and_night_the_next_real_event_is_found() -> None:
    tromso = (69.65, 18.96)
    after_day = solar("sunset", *tromso).next(JUNE)
    assert (after_day.month, after_day.day) in {(7, 25), (7, 26), (7, 27)}
    after_night = solar("sunrise", *tromso).next(datetime(2026, 12, 10, tzinfo=UTC))
    assert (after_night.year, after_night.month) == (2027, 1)
    assert 13 <= after_night.day <= 17


def test_noon_comes_in_the_polar_night() -> None:
    slots = solar("solar_noon", 78.2, 15.6).slots(datetime(2026, 12, 20, tzinfo=UTC))
    assert [slot.day for slot in islice(slots, 3)] == [20, 21, 22]
