"""The Django app of the fault scenarios."""

import os

from django.apps import AppConfig
from django.utils.module_loading import import_string

from tests.faults import failpoints


class FaultsConfig(AppConfig):
    """Finds `tasks`; breaks what the environment asks to have broken."""

    name = "tests.faults"
    label = "faults"

    def ready(self) -> None:
        failpoints.arm()
        if name := os.environ.get("FAULTS_MUTATION"):
            # By its name: it reaches models, which are there only now.
            import_string("tests.faults.mutations.arm")(name)
