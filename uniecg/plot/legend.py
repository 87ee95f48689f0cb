"""The legend of the findings: a number, a colour and the criteria of each.

The colours are the palette of Okabe and Ito, which people with any colour vision tell apart; the number says the same.

References
----------
Okabe M., Ito K. 2008, Color universal design, https://jfly.uni-koeln.de/color (palette).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..report import Evidence
from .layout import GRID_LEFT_MM, GRID_RIGHT_MM, PAGE_HEIGHT_MM
from .wording import values_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]
"""Left, right, top and bottom in mm."""

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666")
LIGHT = frozenset(PALETTE[3:6])
BAR_MM, CHIP_MM = 2.8, 4.4
TOP_MM, LINE_MM, HEAD_LINES, INDENT_MM = PAGE_HEIGHT_MM + 3.5, 3.9, 1.4, 6.0
COLUMNS, CHARACTERS = 2, 86


class Basis(NamedTuple):
    """One criterion of a finding.

    Attributes
    ----------
    words : str
        "" if the values say it all.
    evidence : tuple of Evidence
    met : bool
        One that is not met stands in the legend only.
    """

    words: str
    evidence: tuple[Evidence, ...]
    met: bool = True


class Claim(NamedTuple):
    """A finding and what it rests on."""

    name: str
    criteria: tuple[Basis, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Values of the criteria that are met."""
        return tuple(item for basis in self.criteria if basis.met for item in basis.evidence)


class Block(NamedTuple):
    """The legend of one finding: where it stands and its lines."""

    number: int
    left_mm: float
    top_mm: float
    name: str
    lines: tuple[str, ...]

    @property
    def bottom_mm(self) -> float:
        """Lower edge with some room."""
        return self.top_mm + LINE_MM * (HEAD_LINES + len(self.lines))


def legend(claims: Sequence[Claim]) -> list[Block]:
    """Set the legend in two columns of about the same length, below the page.

    Parameters
    ----------
    claims : sequence of Claim
    """
    written = [(claim.name, _lines(claim)) for claim in claims]
    half = sum(HEAD_LINES + len(lines) for _, lines in written) / COLUMNS
    width = (GRID_RIGHT_MM - GRID_LEFT_MM) / COLUMNS
    blocks: list[Block] = []
    column, row = 0, 0.0
    for number, (name, lines) in enumerate(written, start=1):
        height = HEAD_LINES + len(lines)
        if column + 1 < COLUMNS and row > 0 and row + height / 2 > half:
            column, row = column + 1, 0.0
        blocks.append(Block(number, GRID_LEFT_MM + column * width, TOP_MM + row * LINE_MM, name, lines))
        row += height
    return blocks


def _lines(claim: Claim) -> tuple[str, ...]:
    lines: list[str] = []
    for basis in claim.criteria:
        parts = ("" if basis.met else "not met", basis.words, values_text(basis.evidence))
        text = ": ".join(part for part in parts if part)
        lines += textwrap.wrap(text, CHARACTERS, subsequent_indent="   ")
    return tuple(dict.fromkeys(lines))


def draw_block(axes: Axes, block: Block) -> None:
    """Draw the legend of one finding."""
    left, top = block.left_mm, block.top_mm
    draw_number(axes, block.number, (left, left + CHIP_MM, top, top + BAR_MM))
    axes.text(left + INDENT_MM, top + 2.4, block.name, fontsize=9, fontweight="bold", va="baseline")
    for line, text in enumerate(block.lines, start=1):
        axes.text(left + INDENT_MM, top + 2.4 + line * LINE_MM, text, fontsize=8, va="baseline")


def draw_number(axes: Axes, number: int, box: Box) -> None:
    """Draw a bar in the colour of a finding with its number in the middle."""
    fill(axes, number, box, zorder=4)
    axes.text(
        (box[0] + box[1]) / 2.0, box[3] - 0.65, str(number), fontsize=6.5, fontweight="bold",
        color="black" if _color(number) in LIGHT else "white", ha="center", va="baseline", zorder=5,
    )  # fmt: skip


def fill(axes: Axes, number: int, box: Box, **style: Any) -> None:
    """Fill a box with the colour of a finding."""
    left, right, top, bottom = box
    corners = [left, right, right, left], [top, top, bottom, bottom]
    axes.fill(*corners, color=_color(number), linewidth=0, **style)


def _color(number: int) -> str:
    return PALETTE[(number - 1) % len(PALETTE)]
