"""Core as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from core.checks import register_checks


class CoreConfig(AppConfig):
    """Finds the actors: every installed app's `tasks` module is imported."""

    name = "core"
    verbose_name = "Switchyard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the task modules, so that every process knows every actor."""
        autodiscover_modules("tasks")
        register_checks()
