"""Switchyard: a row in a transaction of its own, then the broker."""

import os

import django

from benchmarks import sending

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

if __name__ == "__main__":
    django.setup()
    from benchmarks.tasks import bump  # needs the apps

    sending.run(bump.send)
