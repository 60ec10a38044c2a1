"""A project that still has Celery Beat: what `--beat-schedule` is pointed at."""

from datetime import timedelta

from celery import Celery
from celery.schedules import crontab

from tests.schedules.rows import echo

ECHO = echo.actor_name

app = Celery("old", set_as_current=False, fixups=[])
app.conf.timezone = "Europe/Berlin"
app.conf.beat_schedule = {
    "nightly": {
        "task": ECHO,
        "schedule": crontab(minute=30, hour=2),
        "args": ("night",),
        "options": {"expires": 3600, "priority": 5, "queue": "quiet", "shadow": "x"},
    },
    "friday the 13th": {
        "task": ECHO,
        "schedule": crontab(0, 12, day_of_month="13", day_of_week="fri"),
    },
    "steps": {"task": ECHO, "schedule": crontab(minute="*/60", hour="22-2")},
    "quarters": {"task": ECHO, "schedule": crontab(minute="*/15")},
    "often": {"task": ECHO, "schedule": 30.0},
    "each day": {"task": ECHO, "schedule": timedelta(days=1), "relative": True},
    "too often": {"task": ECHO, "schedule": 0.1},
    "unknown": {"task": "proj.tasks.gone", "schedule": crontab()},
    "wrong": {"task": ECHO, "schedule": crontab(), "kwargs": {"volume": 11}},
    "half": {"task": ECHO},
}

BEAT = {"hourly": {"task": ECHO, "schedule": crontab(minute=0)}}
