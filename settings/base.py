"""What every environment shares; the rest comes from environment variables.

TASK_BACKEND  celery (default), dramatiq, database (without a broker) or inprocess
BROKER_URL    redis://, rediss://, unix:// or amqp://; the embedded Valkey when unset;
              of no meaning where there is no broker
EVENTS        where events go out to other services, a name; nowhere when unset
DATABASE_URL  SQLite in var/ when unset
TASK_SCHEDULER  what keeps the time of schedules: beat (default) or apscheduler
LOG_LEVEL     INFO of our own and WARNING of the rest when unset
LOG_FORMAT    line, key-value (in production) or json
METRICS_TOKEN what Prometheus must have to read /metrics; nobody may when unset
PRODUCER_TOKEN  what a service must have to start tasks at /tasks/; none may when unset
ADMINS        who is mailed of errors and alerts: ops@example.org,ann@example.org
EMAIL_URL     smtp://, smtps://, smtp+tls://; files in var/mail when unset
"""

from pathlib import Path
from typing import Any

import django

from backends.dramatiq.settings import dramatiq_broker
from settings.brokers import backend, embedded_url, needs_broker
from settings.databases import database, sqlite_url
from settings.environment import env
from settings.logs import log_lines

BASE_DIR = Path(__file__).resolve().parents[1]
VAR = BASE_DIR / "var"
VAR.mkdir(exist_ok=True)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_dramatiq",
    "core.apps.CoreConfig",
    "shop",
    "project",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shop.middleware.JsonErrors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.cart.in_cart",
            ],
        },
    },
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
MEDIA_URL = "media/"
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(VAR / "media"))

SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

DATABASES = {
    "default": database(env.str("DATABASE_URL", default=sqlite_url(VAR / "db.sqlite3")))
}

TASK_BACKEND = env.str("TASK_BACKEND", default="celery")
BROKERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": backend(TASK_BACKEND),
        "URL": (
            env.str("BROKER_URL", default=embedded_url(VAR))
            if needs_broker(TASK_BACKEND)
            else ""
        ),
        "DATABASE": "default",
        "NAMESPACE": env.str("NAMESPACE", default="switchyard"),
        "EVENTS": env.str("EVENTS", default=""),
    },
}
DRAMATIQ_BROKER = dramatiq_broker(BROKERS)

#: What keeps the time of schedules.
SCHEDULER = env.str("TASK_SCHEDULER", default="beat")

if "EMAIL_URL" in env.ENVIRON:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="shop@example.org")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
ADMINS: list[Any] = env.list("ADMINS", default=[])
if django.VERSION < (6,):
    ADMINS = [("", address) for address in ADMINS]
#: Who gets the sales report.
SHOP_ADMIN_EMAIL = env.str("SHOP_ADMIN_EMAIL", default="admin@example.org")

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
PRODUCER_TOKEN = env.str("PRODUCER_TOKEN", default="")

CSRF_FAILURE_VIEW = "shop.views.errors.csrf_failure"

#: The environments differ in how a line looks when nobody says it.
LOG_LEVEL = env.str("LOG_LEVEL", default=None)
LOGGING = log_lines(env.str("LOG_FORMAT", default="line"), LOG_LEVEL)
