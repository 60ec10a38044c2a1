"""In production: what matters must be in the environment, or nothing starts."""

from settings.base import *  # noqa: F403  # an environment is the base and its changes
from settings.base import BROKERS, LOG_LEVEL, TASK_BACKEND
from settings.brokers import needs_broker
from settings.databases import database
from settings.environment import env
from settings.logs import log_lines

env.require(
    *("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL"),
    *(["BROKER_URL"] if needs_broker(TASK_BACKEND) else []),
)

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
DATABASES = {"default": database(env.str("DATABASE_URL"))}
if needs_broker(TASK_BACKEND):
    BROKERS["default"]["URL"] = env.str("BROKER_URL")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
LOGGING = log_lines(env.str("LOG_FORMAT", default="key-value"), LOG_LEVEL)
vars().update(env.email_url("EMAIL_URL"))

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
