"""Charts as SVG: text stays text, and colours are those of the page's theme."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from deepneuron.vision.report.words import figure, is_number

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 50, 88, 24, 44  # room for numbers and names around the plot
LINE = 17  # from one line of text to the next
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Attributes:
        name: written at its end.
        kind: a class of the style sheet: "first", "second" or "faint".
        x, y: its points; where y is no finite number, the line is interrupted.
    """

    name: str
    kind: str
    x: Sequence[float]
    y: Sequence[float]

    def points(self) -> list[tuple[float, float]]:
        return [
            (x, y)
            for x, y in zip(self.x, self.y, strict=False)
            if is_number(x) and is_number(y)
        ]


@dataclass(frozen=True)
class Axis:
    """From a value to a place.

    Attributes:
        low, high: the ends, in values.
        start, end: the ends, in units of the drawing.
        log: whether equal ratios are equal distances.
        name: what is measured.
        words: a value as its tick says it.
    """

    low: float
    high: float
    start: float
    end: float
    name: str = ""
    log: bool = False
    whole: bool = False
    words: Callable[[float], str] = field(default=figure)

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, wanted: int) -> list[float]:
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.log10(self.high)
            return [10.0**e for e in range(first, math.floor(last) + 1)]
        return round_numbers(self.low, self.high, wanted, whole=self.whole)


def round_numbers(
    low: float, high: float, wanted: int, *, whole: bool = False
) -> list[float]:
    """About so many round numbers from low to high: steps of 1, 2 or 5 times 10^k.

    >>> round_numbers(0, 0.93, 5)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    rough = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]


def power_of_ten(value: float) -> str:
    """The value as its power of ten.

    >>> power_of_ten(0.0001)
    '10⁻⁴'
    """
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPT)


def line_chart(
    label: str,
    series: Iterable[Series],
    x_name: str,
    *,
    y_words: Callable[[float], str] = figure,
    from_zero: bool = True,
    x_log: bool = False,
    mark: tuple[float, str] | None = None,
) -> Markup | None:
    """Lines over a common axis, each named at its end; None if there are no points.

    Args:
        label: what the chart shows, for those who do not see it.
        series: the lines.
        x_name: what the horizontal axis counts.
        y_words: a value of the vertical axis as text.
        from_zero: whether the vertical axis begins at 0 in any case.
        x_log: whether the horizontal axis is logarithmic.
        mark: a place on the horizontal axis, and what it is.
    """
    drawn = [one for one in series if one.points()]
    xs = [x for one in drawn for x, _ in one.points()]
    ys = [y for one in drawn for _, y in one.points()]
    if not drawn:
        return None
    x_axis = Axis(
        *_range(min(xs), max(xs), x_log), LEFT, WIDTH - RIGHT, x_name, x_log, not x_log
    )
    if x_log:
        x_axis = Axis(
            x_axis.low, x_axis.high, LEFT, WIDTH - RIGHT, x_name, True, False,
            power_of_ten,
        )  # fmt: skip
    y_axis = _y_axis(ys, from_zero, y_words)
    parts = [_grid(x_axis, y_axis)]
    if mark is not None and x_axis.low <= mark[0] <= x_axis.high:
        parts.append(_mark(x_axis, y_axis, *mark))
    parts += [_line(one, x_axis, y_axis) for one in drawn]
    parts.append(_names(drawn, y_axis))
    return svg(label, parts)


def _range(low: float, high: float, log: bool) -> tuple[float, float]:
    """Both ends, apart from one another."""
    if low < high:
        return low, high
    return (low / 2, low * 2) if log else (low - 0.5, low + 0.5)


def _y_axis(ys: list[float], from_zero: bool, words: Callable[[float], str]) -> Axis:
    low, high = min(ys), max(ys)
    if from_zero:
        low = min(low, 0.0)
    if not low < high:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    else:
        room = 0.06 * (high - low)
        high += room
        low -= 0 if from_zero and low == 0 else room
    return Axis(low, high, HEIGHT - BOTTOM, TOP, words=words)


def _grid(x_axis: Axis, y_axis: Axis) -> Markup:
    left, right, bottom = x_axis.start, x_axis.end, y_axis.start
    parts = []
    for value in y_axis.ticks(5):
        y = y_axis(value)
        parts.append(line(left, y, right, y, "grid"))
        parts.append(text(left - 8, y + 4, y_axis.words(value), "end"))
    for value in x_axis.ticks(5):
        x = x_axis(value)
        parts.append(line(x, bottom, x, bottom + 4, "axis"))
        parts.append(text(x, bottom + LINE + 2, x_axis.words(value), "middle"))
    parts.append(line(left, bottom, right, bottom, "axis"))
    parts.append(text(right, bottom + 2 * LINE + 4, x_axis.name, "end", "name"))
    return Markup("").join(parts)


def _mark(x_axis: Axis, y_axis: Axis, value: float, words: str) -> Markup:
    x = x_axis(value)
    anchor = "start" if x < (x_axis.start + x_axis.end) / 2 else "end"
    shift = -2 if anchor == "start" else 2
    return line(x, TOP - 4, x, y_axis.start, "mark") + text(
        x + shift, TOP - 9, words, anchor, "name"
    )


def _line(one: Series, x_axis: Axis, y_axis: Axis) -> Markup:
    steps, pen = [], "M"
    for x, y in zip(one.x, one.y, strict=False):
        if is_number(x) and is_number(y):
            steps.append(f"{pen}{x_axis(x):.1f} {y_axis(y):.1f}")
            pen = "L"
        else:
            pen = "M"
    path = Markup('<path class="line {}" d="{}"/>').format(one.kind, "".join(steps))
    points = one.points()
    if len(points) > 40:
        return path
    dots = (
        Markup(
            '<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="2.5">'
            "<title>{}: {}</title></circle>"
        ).format(one.kind, x_axis(x), y_axis(y), figure(x), y_axis.words(y))
        for x, y in points
    )
    return path + Markup("").join(dots)


def _names(drawn: list[Series], y_axis: Axis) -> Markup:
    """The name of each line at its end, none over another."""
    places = sorted(
        (y_axis(one.points()[-1][1]), i) for i, one in enumerate(drawn) if one.name
    )
    ys = [y for y, _ in places]
    for i in range(1, len(ys)):  # down, until they are apart
        ys[i] = max(ys[i], ys[i - 1] + LINE)
    excess = max(0.0, ys[-1] - y_axis.start) if ys else 0.0
    names = (
        text(WIDTH - RIGHT + 8, y - excess + 4, drawn[i].name, "start", drawn[i].kind)
        for y, (_, i) in zip(ys, places, strict=True)
    )
    return Markup("").join(names)


def reliability(
    label: str, bins: Sequence[tuple[float, float, float, float, int]]
) -> Markup:
    """How often it is right, over how sure it says it is.

    Args:
        label: what the chart shows, for those who do not see it.
        bins: (confidence, share that is right, its lower bound, its upper bound,
            pictures) of each group of predictions.
    """
    size, left, top = 280, 62, 28
    floor = top + size
    x_axis = Axis(0, 1, left, left + size)
    y_axis = Axis(0, 1, floor, top)
    parts = []
    for value in (0, 0.25, 0.5, 0.75, 1):
        words = f"{100 * value:g}\u202f%"
        parts.append(line(left, y_axis(value), left + size, y_axis(value), "grid"))
        parts.append(text(left - 8, y_axis(value) + 4, words, "end"))
        parts.append(text(x_axis(value), floor + 64, words, "middle"))
    parts.append(line(left, floor, left + size, top, "ideal"))
    most = max((n for *_, n in bins), default=1)
    for confidence, _, _, _, n in bins:  # how many pictures, below the plot
        height = 34 * n / most
        parts.append(
            Markup(
                '<rect class="count" x="{:.1f}" y="{:.1f}" width="10" height="{:.1f}">'
                "<title>{:,}</title></rect>"
            ).format(x_axis(confidence) - 5, floor + 46 - height, height, n)
        )
    parts.append(line(left, floor, left + size, floor, "axis"))
    parts.append(line(left, floor + 46, left + size, floor + 46, "axis"))
    for confidence, share, low, high, _ in bins:
        x = x_axis(confidence)
        parts.append(line(x, y_axis(low), x, y_axis(high), "whisker"))
        parts.append(circle(x, y_axis(share), 3.5))
    parts.append(
        text(left + size, floor + 64 + LINE + 3, "how sure it is", "end", "name")
    )
    parts.append(text(left, top - 12, "how often it is right", "start", "name"))
    parts.append(text(left - 8, floor + 46, "pictures", "end"))
    return svg(label, parts, left + size + 30, floor + 64 + LINE + 10)


def svg(
    label: str, parts: Iterable[Markup], width: float = WIDTH, height: float = HEIGHT
) -> Markup:
    """The parts as one drawing that grows with the page."""
    return Markup(
        '<svg class="chart" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, Markup("").join(parts))


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup(
        '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    ).format(kind, x1, y1, x2, y2)


def circle(x: float, y: float, radius: float) -> Markup:
    return Markup(
        '<circle class="dot first" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>'
    ).format(x, y, radius)


def text(x: float, y: float, words: str, anchor: str, kind: str = "") -> Markup:
    return Markup(
        '<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    ).format(kind, x, y, anchor, words)
