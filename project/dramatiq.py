"""For Dramatiq's own command line: dramatiq project.dramatiq."""

import os

import django

from core import brokers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.dev")
django.setup()
broker = brokers["default"].backend.broker
