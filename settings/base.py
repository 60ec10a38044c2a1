"""What every environment shares; the rest comes from environment variables.

TASK_BACKEND  celery (default), dramatiq or inprocess
BROKER_URL    redis://, rediss://, unix:// or amqp://; the embedded Valkey when unset
DATABASE_URL  SQLite in var/ when unset
EMAIL_URL     smtp://, smtps://, smtp+tls://; files in var/mail when unset
"""

from pathlib import Path
from typing import Any

import environ

from backends.dramatiq.settings import dramatiq_broker
from settings.brokers import backend, embedded_socket

BASE_DIR = Path(__file__).resolve().parents[1]
VAR = BASE_DIR / "var"
VAR.mkdir(exist_ok=True)

env = environ.Env()

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
MEDIA_ROOT = VAR / "media"

SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

#: SQLite as a server's database: readers beside one writer, and a transaction that
#: means to write waits for its turn at its start instead of failing in its middle.
SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def database(url: str) -> dict[str, Any]:
    """Return a DATABASES entry; connections are kept for a minute."""
    config: dict[str, Any] = {**environ.Env.db_url_config(url), "CONN_MAX_AGE": 60}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {**SQLITE, **config.get("OPTIONS", {})}
    else:
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASES = {
    "default": database(
        env.str("DATABASE_URL", default=f"sqlite:///{VAR / 'db.sqlite3'}")
    )
}

BROKERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": backend(env.str("TASK_BACKEND", default="celery")),
        "URL": env.str("BROKER_URL", default=f"unix://{embedded_socket(VAR)}?db=0"),
        "DATABASE": "default",
        "NAMESPACE": env.str("NAMESPACE", default="switchyard"),
    },
}
DRAMATIQ_BROKER = dramatiq_broker(BROKERS)

if "EMAIL_URL" in env.ENVIRON:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="shop@example.org")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
#: Who gets the sales report.
SHOP_ADMIN_EMAIL = env.str("SHOP_ADMIN_EMAIL", default="admin@example.org")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
    "loggers": {
        "core": {"level": env.str("LOG_LEVEL", default="INFO")},
        "shop": {"level": env.str("LOG_LEVEL", default="INFO")},
        # Both say with a traceback what the adapters handle and core logs in a line.
        "pika": {"level": "CRITICAL"},
        "celery.worker.request": {"level": "CRITICAL", "propagate": False},
    },
}
