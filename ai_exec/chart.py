"""A bar chart of deviations in the order of the nodes, on a logarithmic scale."""

from collections.abc import Sequence
from math import floor, log10
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from ai_exec.deviation import Deviation

WIDTH: Final = 1600
HEIGHT: Final = 800
LEFT, RIGHT, TOP, BOTTOM = 110, 40, 110, 190
DECADES_MIN: Final = 3
LABELLED_MAX: Final = 48
"""So many nodes have room for the names of their operators."""
INK, FAINT, SO_FAR, OWN = "#222222", "#dddddd", "#9db4cc", "#d9622b"
SMALLEST: Final = 1e-12
"""Below this nothing is drawn."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_deviations(found: Sequence[Deviation], model: str) -> Image.Image:
    """Draw what onnxruntime adds at each node over what it has gathered so far."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    scale = _Scale(found)
    _head(draw, model)
    _grid(draw, scale)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(found))
    for index, deviation in enumerate(found):
        begin = LEFT + index * step
        _bar(draw, scale, deviation.so_far, begin + 0.1 * step, begin + 0.9 * step, SO_FAR)
        _bar(draw, scale, deviation.own, begin + 0.3 * step, begin + 0.7 * step, OWN)
    _names(image, found, step)
    return image


class _Scale:
    """Decades that hold every deviation, and where they lie."""

    def __init__(self, found: Sequence[Deviation]) -> None:
        values = [
            value for one in found for value in (one.so_far, one.own) if value and value > SMALLEST
        ]
        self.high = floor(log10(max(values, default=1e-6))) + 1
        low = floor(log10(min(values, default=1e-8)))
        self.low = min(low, self.high - DECADES_MIN)

    def height(self, value: float) -> float:
        """Give the place of a value from the top of the image."""
        share = (log10(value) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - max(0.0, share) * (HEIGHT - TOP - BOTTOM)


def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _head(draw: ImageDraw.ImageDraw, model: str) -> None:
    draw.text((LEFT, 24), f"{model}: onnxruntime against the exact result", INK, _font(26))
    legend = (
        (SO_FAR, "in its own run, so far"),
        (OWN, "of the node alone, on exact inputs"),
    )
    left = LEFT
    for colour, text in legend:
        draw.rectangle((left, 70, left + 18, 88), fill=colour)
        draw.text((left + 28, 68), text, INK, _font(18))
        left += 60 + int(draw.textlength(text, _font(18)))
    draw.text((left, 68), "largest deviation relative to the result's scale", "#666666", _font(18))


def _grid(draw: ImageDraw.ImageDraw, scale: _Scale) -> None:
    for decade in range(scale.low, scale.high + 1):
        y = scale.height(10.0**decade)
        draw.line((LEFT, y, WIDTH - RIGHT, y), fill=FAINT if decade > scale.low else INK)
        draw.text((LEFT - 12, y), f"1e{decade}", INK, _font(16), anchor="rm")


def _bar(
    draw: ImageDraw.ImageDraw,
    scale: _Scale,
    value: float | None,
    left: float,
    right: float,
    colour: str,
) -> None:
    if value and value > SMALLEST:
        draw.rectangle(
            (left, scale.height(value), max(right, left + 1), HEIGHT - BOTTOM), fill=colour
        )


def _names(image: Image.Image, found: Sequence[Deviation], step: float) -> None:
    """Write operators below the bars; of many nodes only the worst, and numbers."""
    draw = ImageDraw.Draw(image)
    ranked = sorted(range(len(found)), key=lambda place: -(found[place].own or 0.0))
    chosen = set(range(len(found))) if len(found) <= LABELLED_MAX else _apart(ranked, step)
    for place in sorted(chosen):
        text = _fitting(f"{found[place].node} {found[place].operator}", BOTTOM - 24)
        label = Image.new("RGB", (int(draw.textlength(text, _font(15))) + 4, 20), "white")
        ImageDraw.Draw(label).text((0, 0), text, INK, _font(15))
        centre = LEFT + (place + 0.5) * step
        image.paste(label.rotate(90, expand=True), (int(centre - 10), HEIGHT - BOTTOM + 8))


def _fitting(text: str, length: int) -> str:
    """Cut a text that is longer than so many pixels."""
    if _font(15).getlength(text) <= length:
        return text
    while _font(15).getlength(f"{text}...") > length:
        text = text[:-1]
    return f"{text}..."


def _apart(ranked: Sequence[int], step: float) -> set[int]:
    """Pick the first ones that have room beside each other."""
    chosen: set[int] = set()
    for place in ranked:
        if all(abs(place - other) * step >= 24 for other in chosen):
            chosen.add(place)
        if len(chosen) == LABELLED_MAX // 2:
            break
    return chosen
