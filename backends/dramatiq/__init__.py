"""The adapter to Dramatiq: on Redis and on RabbitMQ."""

from backends.dramatiq.backend import DramatiqBackend

__all__ = ["DramatiqBackend"]
