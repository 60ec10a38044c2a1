"""For Celery's own command line: celery -A project.celery worker."""

import os

import django

from core import brokers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.dev")
django.setup()
app = brokers["default"].backend.app
