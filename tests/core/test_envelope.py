import math

import pytest
from django.test import override_settings

from core import BadMessage, InvalidArguments, PayloadTooLarge
from core.wire.envelope import MessageSigner, check_payload

RUN = "0b0d5d0e-6d1c-4d0e-9d5e-4b8f6f1c2a3b"


@pytest.mark.parametrize(
    "payload", [{1: "a"}, math.nan, "a\0b", "\ud800", {1, 2}, b"bytes", object()]
)
def test_payload_that_json_would_change_is_refused(payload: object) -> None:
    with pytest.raises(InvalidArguments, match=r"shop\.mail"):
        check_payload("shop.mail", [payload], limit=1000)


def test_payload_over_the_limit_says_both_sizes() -> None:
    with pytest.raises(PayloadTooLarge, match=r"take 104 bytes, the limit is 100"):
        check_payload("shop.mail", ["x" * 100], limit=100)


def test_signed_run_id_opens_again() -> None:
    signer = MessageSigner("shop")
    assert str(signer.open(signer.sign(RUN))) == RUN


@pytest.mark.parametrize("payload", ["", "x", RUN, f"{RUN}:forged", "ü:ü"])
def test_forged_body_is_refused(payload: str) -> None:
    with pytest.raises(BadMessage, match="signature"):
        MessageSigner("shop").open(payload)


def test_body_of_another_project_on_the_same_key_is_refused() -> None:
    with pytest.raises(BadMessage):
        MessageSigner("shop").open(MessageSigner("blog").sign(RUN))


def test_key_can_be_rotated_while_messages_are_under_way() -> None:
    with override_settings(SECRET_KEY="old"):
        payload = MessageSigner("shop").sign(RUN)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"]):
        assert str(MessageSigner("shop").open(payload)) == RUN
