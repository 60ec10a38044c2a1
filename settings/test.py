"""Under pytest and in the worker processes that its tests start.

The ports of the services are chosen by tests/conftest.py before Django is set up;
`TEST_DATABASE_NAME` makes a worker process share the tests' own database.
"""

import os

from settings.base import *  # noqa: F403  # an environment is the base and its changes
from settings.base import INSTALLED_APPS, VAR, dramatiq_broker
from settings.base import database as database_of

DEBUG = False
SECRET_KEY = "a key for tests"  # noqa: S105  # guards nothing
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.conformance.apps.ConformanceConfig"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = os.environ.get("TEST_MEDIA_ROOT", str(VAR / "test-media"))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

URL = os.environ.get("TEST_DATABASE_URL", f"sqlite:///{VAR / 'test.sqlite3'}")
DATABASES = {"default": database_of(URL)}
if "TEST_DATABASE_NAME" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE_NAME"]
elif URL.startswith("sqlite"):
    # A file, not memory: the workers are other processes.
    name = os.environ.get("TEST_SQLITE", str(VAR / "test.sqlite3"))
    DATABASES["default"]["TEST"] = {"NAME": name}

NAMESPACE = os.environ.get("TEST_NAMESPACE", "test")
VALKEY = os.environ.get("TEST_VALKEY_URL", "redis://127.0.0.1:1/0")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:1/")
CELERY = "backends.celery.CeleryBackend"
DRAMATIQ = "backends.dramatiq.DramatiqBackend"
INPROCESS = "backends.inprocess.InProcessBackend"
BROKERS = {
    alias: {"BACKEND": backend, "URL": url, "NAMESPACE": NAMESPACE}
    for alias, backend, url in (
        ("default", INPROCESS, ""),
        ("inprocess", INPROCESS, ""),
        ("celery_valkey", CELERY, VALKEY),
        ("celery_rabbitmq", CELERY, RABBITMQ),
        ("dramatiq_valkey", DRAMATIQ, VALKEY),
        ("dramatiq_rabbitmq", DRAMATIQ, RABBITMQ),
    )
}
DRAMATIQ_BROKER = dramatiq_broker(BROKERS)
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
