"""A worker dies between the mail server's 250 and its note: one copy more, same id."""

from collections import Counter
from email.message import EmailMessage

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=30)
THREADS = 4


def run(rig: Rig) -> None:
    deaths = 3
    rig.work(rig.failpoint("mail sent", deaths), threads=THREADS)
    rig.order(seconds=3).finish()
    judge(rig, 90)
    assert rig.deaths("mail sent") == deaths
    copies = Counter(key_of(mail) for mail in rig.smtp.messages)
    again = {key: count - 1 for key, count in copies.items() if count > 1}
    unknowns = dict(rig.books.rows("SELECT key, unknowns FROM core_effect"))
    rig.measured["sent_again"] = sum(again.values())
    # Each death leaves one mail that nobody knows of; those that its neighbours were
    # about to send are unknown, too, sent or not.
    assert deaths <= rig.measured["sent_again"] <= sum(unknowns.values())
    assert sum(unknowns.values()) <= THREADS * deaths
    assert all(count <= unknowns[key] for key, count in again.items())
    assert max(unknowns.values()) <= deaths


def key_of(mail: EmailMessage) -> str:
    """Return the key of the effect that sent a mail; it is in its Message-ID."""
    return str(mail["Message-ID"]).strip().strip("<>").partition("@")[0]
