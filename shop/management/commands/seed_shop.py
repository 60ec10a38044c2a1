"""manage.py seed_shop: a shop that one can order in at once."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from shop.seeds import seed_products

ADMIN = "admin"


class Command(BaseCommand):
    """Adds what is missing; running it again changes nothing else."""

    help = "Add the assortment, and an admin to log in with if asked for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--admin-password",
            help=f"Make the superuser {ADMIN!r}, or give it this password.",
        )

    @transaction.atomic
    def handle(self, *args: Any, admin_password: str | None, **options: Any) -> None:
        made = seed_products()
        self.stdout.write(f"Added {made} products.")
        if admin_password is not None:
            _let_in(admin_password)
            said = f"{ADMIN!r} may log in with the password of --admin-password."
            self.stdout.write(said)
        else:
            self.stdout.write("For the admin: manage.py seed_shop --admin-password ...")


def _let_in(password: str) -> None:
    users = get_user_model()
    user, _ = users.objects.get_or_create(username=ADMIN)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
