"""Every script that a customer may write finds its way into the PDF."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from shop import paper
from shop.typeface import marked

NAMES = ["Łucja Weiß", "Ωμέγα", "Жанна", "Nguyễn Thị", "田中さん", "김철수", "<b> & €"]


@pytest.mark.parametrize("name", NAMES)
def test_name_is_written_as_it_was_given(name: str) -> None:
    file = BytesIO()
    paper.render(file, "Order", [*paper.heading(name, name)])
    text = PdfReader(file).pages[0].extract_text()
    assert text.count(name) == 2


def test_scripts_of_one_name_have_fonts_of_their_own() -> None:
    assert marked("Ann & 田中") == 'Ann &amp; <font name="STSong-Light">田中</font>'
