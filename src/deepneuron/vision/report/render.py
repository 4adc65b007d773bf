"""ReportData becomes one HTML file: the same data, the same bytes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from deepneuron.vision.report import words
from deepneuron.vision.report.curves import learning, rate
from deepneuron.vision.report.data import ReportData
from deepneuron.vision.report.gallery import augmentation, filters, gallery
from deepneuron.vision.report.headline import headline, in_words
from deepneuron.vision.report.inventory import audit
from deepneuron.vision.report.judgement import calibration, classes, confusion
from deepneuron.vision.report.making import made

if TYPE_CHECKING:
    from jinja2 import Template

HEADINGS = {
    "in_words": "In words",
    "advice": "What to try next",
    "learning": "How it learned",
    "confusion": "What it confuses",
    "classes": "Class by class",
    "calibration": "How sure it may be",
    "mistakes": "Its surest mistakes",
    "unsure": "Where it hesitates",
    "filters": "What the first layer looks for",
    "audit": "The pictures",
    "augmentation": "How pictures are varied",
    "rate": "How the learning rate was found",
    "made": "How it was made",
}


def render_report(data: ReportData) -> str:
    """The report as HTML: self-contained, offline, and without any script.

    Nothing of it depends on the clock or the machine. Sections that have nothing to
    show are left out. Names are text, whatever stands in them.
    """
    shown = {
        "in_words": in_words(data),
        "advice": [words.in_code(sentence) for sentence in data.advice],
        "learning": learning(data),
        "confusion": confusion(data),
        "classes": classes(data),
        "calibration": calibration(data),
        "mistakes": gallery(data, data.mistakes),
        "unsure": gallery(data, data.unsure),
        "filters": filters(data),
        "audit": audit(data),
        "augmentation": augmentation(data),
        "rate": rate(data),
        "made": made(data),
    }
    return _page().render(
        title=words.plain(data.title),
        css=Markup(_read("report.css")),  # noqa: S704 - ours, not data
        headings=HEADINGS,
        contents=[name for name, section in shown.items() if section],
        head=headline(data),
        **shown,
    )


@cache
def _page() -> Template:
    """The template, read and compiled once."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "named": words.named,
        "path": words.path,
        "percent": words.percent,
        "count": words.count,
    }
    return environment.from_string(_read("report.html"))


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
