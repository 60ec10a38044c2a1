"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.prod")
application = get_wsgi_application()

from project.startup import build_brokers  # noqa: E402  # needs the apps loaded

build_brokers()
