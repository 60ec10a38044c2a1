"""Celery as a courier: its own worker, with nothing of its meaning."""

from backends.celery.backend import CeleryBackend

__all__ = ["CeleryBackend"]
