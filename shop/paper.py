"""The look of the shop's PDFs: one sheet, one typeface, one accent."""

from typing import IO

from reportlab.graphics.charts.barcharts import HorizontalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from shop import typeface
from shop.typeface import marked

INK = HexColor("#1d2733")
GREY = HexColor("#68737f")
RULE = HexColor("#d5dbe1")
ACCENT = HexColor("#b3402a")
#: Points that a frame keeps free inside its margins, at reportlab's own default.
PADDING = 6
MARGIN = 22 * mm
SIDE = MARGIN + PADDING
WIDTH = A4[0] - 2 * SIDE
#: A chart's row, and what its names and figures may take of the width.
ROW, NAMES, FIGURES = 18, 55 * mm, 25 * mm

TEXT = ParagraphStyle(
    "text", fontName=typeface.PLAIN, fontSize=9.5, leading=13, textColor=INK
)
RIGHT = ParagraphStyle("right", TEXT, alignment=TA_RIGHT)
BOLD = ParagraphStyle("bold", TEXT, fontName=typeface.BOLD)
BOLD_RIGHT = ParagraphStyle("bold-right", BOLD, alignment=TA_RIGHT)
SMALL = ParagraphStyle("small", TEXT, fontSize=8, leading=11, textColor=GREY)
SMALL_RIGHT = ParagraphStyle("small-right", SMALL, alignment=TA_RIGHT)
TITLE = ParagraphStyle("title", BOLD, fontSize=22, leading=28)


def heading(title: str, subtitle: str) -> list[Flowable]:
    return [
        Paragraph(marked(title), TITLE),
        Paragraph(marked(subtitle), SMALL),
        Spacer(0, 14),
    ]


def facts(pairs: list[tuple[str, str]]) -> Table:
    """Lay out names and values, as customer and e-mail."""
    rows = [
        [Paragraph(marked(name), SMALL), Paragraph(marked(value), TEXT)]
        for name, value in pairs
    ]
    table = Table(rows, colWidths=[28 * mm, WIDTH - 28 * mm], hAlign="LEFT")
    table.setStyle([("LEFTPADDING", (0, 0), (0, -1), 0), *_tight(2)])
    return table


def lines(head: list[str], rows: list[list[str]], total: str) -> Table:
    """Lay out priced lines under a head and over a total; the first column is wide."""
    cells = [
        _row(head, SMALL, SMALL_RIGHT),
        *(_row(row, TEXT, RIGHT) for row in rows),
        _row(["Total", total, *[""] * (len(head) - 2)], BOLD, BOLD_RIGHT),
    ]
    narrow = 30 * mm
    widths = [WIDTH - narrow * (len(head) - 1), *[narrow] * (len(head) - 1)]
    table = Table(cells, colWidths=widths, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        [
            # The total may be longer than any amount above it.
            ("SPAN", (1, -1), (-1, -1)),
            ("RIGHTPADDING", (1, -1), (-1, -1), 0),
            ("LINEBELOW", (0, 0), (-1, 0), 1.2, INK),
            ("LINEBELOW", (0, 1), (-1, -2), 0.4, RULE),
            ("LINEABOVE", (0, -1), (-1, -1), 1.2, INK),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *_tight(5),
        ]
    )
    return table


def bars(values: list[tuple[str, float]]) -> Drawing:
    """Draw a bar for each name, the largest on top; nothing for no values."""
    drawing = Drawing(WIDTH, ROW * len(values))
    if not values:
        return drawing
    chart = HorizontalBarChart()
    chart.x, chart.y = NAMES, 0
    chart.width, chart.height = WIDTH - NAMES - FIGURES, ROW * len(values)
    # From the bottom up.
    chart.data = [[value for _, value in reversed(values)]]
    chart.categoryAxis.categoryNames = [name for name, _ in reversed(values)]
    chart.categoryAxis.strokeColor = RULE
    chart.categoryAxis.visibleTicks = 0
    labels = chart.categoryAxis.labels
    labels.fontName, labels.fontSize, labels.fillColor = typeface.PLAIN, 8, INK
    chart.valueAxis.valueMin, chart.valueAxis.visible = 0, 0
    chart.bars[0].fillColor, chart.bars[0].strokeColor = ACCENT, None
    chart.barLabelFormat = "%.2f"
    chart.barLabels.boxAnchor, chart.barLabels.dx = "w", 4
    chart.barLabels.fontName, chart.barLabels.fontSize = typeface.PLAIN, 8
    drawing.add(chart)
    return drawing


def _row(
    values: list[str], first: ParagraphStyle, rest: ParagraphStyle
) -> list[Paragraph]:
    # Paragraphs, so that a long name wraps instead of running over its neighbour.
    return [
        Paragraph(marked(value), first if column == 0 else rest)
        for column, value in enumerate(values)
    ]


def _tight(points: float) -> list[tuple[object, ...]]:
    return [
        ("TOPPADDING", (0, 0), (-1, -1), points),
        ("BOTTOMPADDING", (0, 0), (-1, -1), points),
    ]


def render(file: IO[bytes], title: str, story: list[Flowable]) -> None:
    """Draw the story on as many sheets as it takes."""
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=title,
        author="Switchyard Supply",
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=40 * mm,
        bottomMargin=24 * mm,
    )
    document.build(story, onFirstPage=_sheet, onLaterPages=_sheet)


def _sheet(canvas: Canvas, document: SimpleDocTemplate) -> None:
    """Draw what every sheet has: the name on a band above, the page number below."""
    width, height = A4
    canvas.saveState()
    canvas.setFillColor(INK)
    canvas.rect(0, height - 24 * mm, width, 24 * mm, stroke=0, fill=1)
    canvas.setFillColor(ACCENT)
    canvas.rect(0, height - 25.2 * mm, width, 1.2 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#ffffff"))
    canvas.setFont(typeface.BOLD, 15)
    canvas.drawString(SIDE, height - 15 * mm, "Switchyard Supply")
    canvas.setFont(typeface.PLAIN, 8)
    canvas.drawRightString(
        width - SIDE, height - 15 * mm, "Everything for the model railway"
    )
    canvas.setFillColor(GREY)
    canvas.drawString(SIDE, 14 * mm, document.title)
    canvas.drawRightString(width - SIDE, 14 * mm, f"Page {document.page}")
    canvas.restoreState()
