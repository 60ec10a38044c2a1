"""python -m tests.schedules.scheduler NAME: the simplest driver; it never ends."""

import os
import sys
import time

import django


def main(name: str) -> None:
    """Tick for ever, as Celery Beat and APScheduler do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    django.setup()
    from core.schedules import tick  # noqa: PLC0415  # models: only now there are apps
    from tests.schedules import rows  # noqa: F401, PLC0415  # declares the actor

    while True:
        time.sleep(tick(driver=name).wait)


if __name__ == "__main__":
    main(sys.argv[1])
