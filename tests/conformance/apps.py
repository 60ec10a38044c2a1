from django.apps import AppConfig


class ConformanceConfig(AppConfig):
    """The actors that prove the promises, and the table they write to."""

    name = "tests.conformance"
    label = "conformance"
    default_auto_field = "django.db.models.BigAutoField"
