"""Switchyard as installed, on the benchmark's broker and PostgreSQL."""

from settings.dev import *  # noqa: F403  # the defaults are what is measured
from settings.dev import INSTALLED_APPS

DEBUG = False  # Django remembers every query otherwise
INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks"]
