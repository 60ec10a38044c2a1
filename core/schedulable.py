"""A check that an actor can be sent as a schedule says."""

import inspect

from core.errors import InvalidOption, OptionConflict
from core.registry import Declared
from core.triggers import Scheduled
from core.wire.envelope import check_json


def check(actor: Declared, said: Scheduled) -> None:
    """Raise `CoreError` unless the actor takes these arguments and options."""
    actor.check_arguments(said.args, said.kwargs)
    # Built, and thrown away: it checks the options.
    actor.message_with_options(args=said.args, kwargs=said.kwargs, **said.options)
    durable = said.options.get("durable", actor.options.get("durable", True))
    if said.overlap != "allow" and not durable:
        what, why = f"overlap={said.overlap!r}", "only a row says what has ended"
        raise OptionConflict(what, "durable=False", why)
    if said.pause_after is not None and not durable:
        what, why = f"pause_after={said.pause_after}", "only a row says what has failed"
        raise OptionConflict(what, "durable=False", why)
    given = inspect.signature(actor.fn).bind(*said.args, **said.kwargs).arguments
    for name in sorted(actor.secrets & given.keys()):
        expected = "left out: a schedule's arguments are there for all to read"
        raise InvalidOption(name, "a secret", expected)
    # Said here and not by the database that refuses the row.
    check_json("args", list(said.args))
    check_json("kwargs", dict(said.kwargs))
