"""The ASGI application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.prod")
application = get_asgi_application()

from project.startup import build_brokers  # noqa: E402  # needs the apps loaded

build_brokers()
