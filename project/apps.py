"""The project as a Django app, for its commands."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Has the commands that start everything at once."""

    name = "project"
