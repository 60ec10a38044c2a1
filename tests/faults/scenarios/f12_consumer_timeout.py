"""RabbitMQ takes a message back from a slow consumer: no second effect."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=100, few=24)
BROKERS = ("rabbitmq",)
SET = """
    application:set_env(rabbit, consumer_timeout, {timeout}),
    application:set_env(rabbit, channel_tick_interval, {tick}).
"""


def run(rig: Rig) -> None:
    patience = lasting(10, 2)
    rig.broker.evaluate(
        SET.format(timeout=int(patience * 1000), tick=int(patience * 500))
    )
    rig.smtp.pause = 2.5 * patience
    try:
        rig.work()
        customers = rig.order(seconds=3, orders=min(rig.orders, 24))
        customers.finish()
        rig.until(lambda: rig.smtp.messages, 60, "the first mails")
    finally:
        rig.smtp.pause = 0
        rig.broker.evaluate(SET.format(timeout=1_800_000, tick=60_000))
    judge(rig, 90)
