"""manage.py place_orders: customers who order, and note what was confirmed.

Each line of the file is an order's reference and how many ms its checkout took,
written and fsynced after the shop had said yes. Of every tenth order the checkout is
rolled back; its reference goes to a second file, FILE.not.
"""

import os
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, TextIO

from django.core.management.base import BaseCommand
from django.db import Error, connection, transaction

from shop.models import Product
from shop.services import place_order

#: Of so many checkouts the second one is rolled back.
REGRETTED = 10
#: A customer whose checkout failed tries again after so long, s.
AGAIN_SECONDS = 0.2


class Regret(Exception):
    """The customer changed his mind at the last moment."""


class Command(BaseCommand):
    """Places so many orders, so many of them a second."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, required=True)
        parser.add_argument("--rate", type=float, required=True)
        parser.add_argument("--customers", required=True)
        parser.add_argument("--file", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        file = options["file"]
        with open(file, "a") as kept, open(f"{file}.not", "a") as regretted:
            start = time.monotonic()
            for number in range(options["orders"]):
                due = start + number / options["rate"]
                time.sleep(max(0.0, due - time.monotonic()))
                key = f"{options['customers']}-{number}"
                if number % REGRETTED == 1:
                    note(regretted, self.until_it_works(regret, key))
                else:
                    note(kept, self.until_it_works(order, key))

    def until_it_works(self, checkout: Callable[[str], str], key: str) -> str:
        """Check out again and again, always with the same idempotency key."""
        while True:
            try:
                return checkout(key)
            except Error as error:
                self.stderr.write(str(error))
                connection.close()
                time.sleep(AGAIN_SECONDS)


def note(file: TextIO, line: str) -> None:
    """Write a line so that it outlives the machine."""
    file.write(line + "\n")
    file.flush()
    os.fsync(file.fileno())


def order(key: str) -> str:
    """Return the reference of an order and how long its checkout took, ms."""
    start = time.monotonic()
    reference = place(key)
    return f"{reference} {(time.monotonic() - start) * 1000:.1f}"


def regret(key: str) -> str:
    """Check out inside a transaction that is rolled back; return the reference."""
    reference = ""
    try:
        with transaction.atomic():
            reference = place(f"{key}-regretted")
            raise Regret
    except Regret:
        return reference


def place(key: str) -> str:
    """Order one of the first product."""
    product = Product.objects.order_by("pk")[0]
    placed, _ = place_order(
        name="A customer",
        email=f"{key}@example.org",
        lines=[(product, 1)],
        idempotency_key=key,
    )
    return str(placed.reference)
