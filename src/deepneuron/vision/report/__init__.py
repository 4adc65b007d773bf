"""The report of a run: one HTML file that opens offline and asks no other host."""

from deepneuron.vision.report.advice import advise as advise
from deepneuron.vision.report.data import ReportData as ReportData
from deepneuron.vision.report.data import Shown as Shown
from deepneuron.vision.report.render import render_report as render_report

__all__ = ["ReportData", "Shown", "advise", "render_report"]
