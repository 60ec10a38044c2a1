from django.apps import AppConfig


class ObservedConfig(AppConfig):
    """The actors that are looked at from outside."""

    name = "tests.observed"
    label = "observed"
