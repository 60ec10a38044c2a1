"""Prometheus: path("metrics", backends.prometheus.metrics)."""

from backends.prometheus.view import metrics

__all__ = ["metrics"]
