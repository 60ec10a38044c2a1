"""The typeface of the shop's PDFs, and others for the scripts that it lacks."""

from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import font_source_sans_pro
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "Sheet", "SheetBold"
#: Not in the file: whoever shows the PDF has them.
CHINESE_JAPANESE, KOREAN = "STSong-Light", "HYSMyeongJo-Medium"
HANGUL = range(0xAC00, 0xD7A4)

_FOLDER = Path(font_source_sans_pro.font_directory)
_FACE = TTFont(PLAIN, str(_FOLDER / "SourceSansPro-Regular.ttf"))
pdfmetrics.registerFont(_FACE)
pdfmetrics.registerFont(TTFont(BOLD, str(_FOLDER / "SourceSansPro-Bold.ttf")))
for _name in (CHINESE_JAPANESE, KOREAN):
    pdfmetrics.registerFont(UnicodeCIDFont(_name))


def marked(text: str) -> str:
    """Return a text as reportlab's markup, with a font for each of its scripts."""
    return "".join(
        escape("".join(run)) if font is None else _in(font, "".join(run))
        for font, run in groupby(text, _font_of)
    )


def _font_of(letter: str) -> str | None:
    if ord(letter) in _FACE.face.charToGlyph or not letter.isprintable():
        return None
    return KOREAN if ord(letter) in HANGUL else CHINESE_JAPANESE


def _in(font: str, text: str) -> str:
    return f'<font name="{font}">{escape(text)}</font>'
