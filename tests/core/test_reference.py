"""The reference says what the code does."""

from tests.core.reference import PAGE, page


def test_reference_of_the_options_is_up_to_date() -> None:
    # python -m tests.core.reference writes it anew.
    assert PAGE.read_text() == page()
