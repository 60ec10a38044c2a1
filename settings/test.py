"""Under pytest and in the worker processes that its tests start.

TEST_DATABASE       sqlite (default) or postgres
TEST_DATABASE_NAME  makes a worker process share the tests' own database

What else they share is chosen by `prepare`, in the first process, before Django is up.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from core import by_load
from settings.base import *  # noqa: F403  # an environment is the base and its changes
from settings.base import INSTALLED_APPS, dramatiq_broker
from settings.databases import database
from tests.services.environment import add_yours, prepare

prepare()

DEBUG = False
SECRET_KEY = "a key for tests"  # noqa: S105  # guards nothing
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.conformance.apps.ConformanceConfig"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = os.environ["TEST_MEDIA_ROOT"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

DATABASES = {"default": database(os.environ["TEST_DATABASE_URL"])}
if "TEST_DATABASE_NAME" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
elif DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: the workers are other processes.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # As on PostgreSQL: no test turns the machine off, and a slow disk makes it late.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"

NAMESPACE = os.environ["TEST_NAMESPACE"]
VALKEY = os.environ["TEST_VALKEY_URL"]
RABBITMQ = os.environ["TEST_RABBITMQ_URL"]
CELERY = "backends.celery.CeleryBackend"
DRAMATIQ = "backends.dramatiq.DramatiqBackend"
DATABASE = "backends.database.DatabaseBackend"
INPROCESS = "backends.inprocess.InProcessBackend"
ROUTED = "tests.conformance.routed_tasks"
ROUTES = {
    f"{ROUTED}.by_rule_*": {"queue_name": "routed"},
    f"{ROUTED}.by_function": f"{ROUTED}.choose",
    f"{ROUTED}.can_wait": by_load(depth=20, then={"queue_name": "other"}),
    f"{ROUTED}.must_not_wait": by_load(depth=20, then={"priority": -100}),
}
TOY = "tests.toy.backend.ToyBackend"
HANDING_OUT = (CELERY, DRAMATIQ)
BROKERS = {
    alias: {
        "BACKEND": backend,
        "URL": url,
        "NAMESPACE": NAMESPACE,
        "TIMING": {"stuck": 1, "heartbeat": 2},
        "ROUTES": ROUTES,
        "EVENTS": f"{NAMESPACE}.events.{alias}" if backend in HANDING_OUT else "",
    }
    for alias, backend, url in (
        ("default", INPROCESS, ""),
        ("inprocess", INPROCESS, ""),
        ("database", DATABASE, ""),
        ("toy", TOY, Path(os.environ["TEST_RUN"], "toy").as_uri()),
        ("celery_valkey", CELERY, VALKEY),
        ("celery_rabbitmq", CELERY, RABBITMQ),
        ("dramatiq_valkey", DRAMATIQ, VALKEY),
        ("dramatiq_rabbitmq", DRAMATIQ, RABBITMQ),
    )
}
add_yours(BROKERS)
DRAMATIQ_BROKER = dramatiq_broker(BROKERS)
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", urlsplit(os.environ["TEST_SMTP_URL"]).port
