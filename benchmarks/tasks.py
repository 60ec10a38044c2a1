"""Switchyard's actor; found because benchmarks is an installed app."""

from benchmarks import body
from core import actor


@actor
def bump() -> None:
    """Count one message as done."""
    body.bump()
