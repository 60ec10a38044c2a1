"""The project as a Django app, for its commands."""

from django.apps import AppConfig
from django.contrib import admin


class ProjectConfig(AppConfig):
    """Has the commands that start everything at once."""

    name = "project"

    def ready(self) -> None:
        """Leave one list of runs in the admin: the other one would stay empty."""
        from django_dramatiq.models import Task  # noqa: PLC0415  # models come after apps

        if admin.site.is_registered(Task):
            admin.site.unregister(Task)
