from __future__ import annotations

import base64
import io
import math
import re
from dataclasses import fields, replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deepneuron.vision.report import ReportData, Shown, advise, render_report
from deepneuron.vision.report.charts import Series, line_chart, round_numbers
from deepneuron.vision.report.demo import invented, main
from deepneuron.vision.report.pictures import (
    address,
    cam_overlay,
    occlusion_overlay,
    sheet,
)
from deepneuron.vision.report.render import HEADINGS
from deepneuron.vision.report.words import (
    between,
    in_code,
    path,
    percent,
    plain,
    quoted,
)

HOSTILE = (
    "</script><script>alert(1)</script>",
    "</style><b onclick='x'>\"quotes\"",
    "two\nlines\tand \x00 a \x1b[31m",
    "\u202eright to left\u202c שלום",
    "lone \udc80 surrogate",
    "w" * 300,
    "{{ 7 * 7 }}{% raw %}",
    "-->]]>&amp;<!--",
)
VOID = {"meta", "img", "input", "br", "link", "hr", "wbr"}


class Page(HTMLParser):
    """A page as its elements: complains where they are not balanced."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"{tag} says something twice: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return re.sub("[ \n]+", " ", " ".join(self.text))


@pytest.fixture(scope="module")
def demo():
    return invented()


@pytest.fixture(scope="module")
def html(demo):
    return render_report(demo)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def sections(page):
    return [attrs["id"] for attrs in page.all("section")]


def test_the_headline_says_in_words_how_often_it_is_right(demo, page):
    test = demo.metrics["test"]
    assert f"Right on {test['correct']} of 800 pictures it had never seen" in page.words
    assert between(test["accuracy_interval"]) in page.words
    assert percent(test["accuracy"]) in page.words


def test_full_data_fill_every_section_and_the_contents_name_each(page):
    assert sections(page) == list(HEADINGS)
    links = [a["href"] for a in page.all("a")]
    assert links == ["#result", *(f"#{name}" for name in HEADINGS)]
    for heading in HEADINGS.values():
        assert heading in page.words


def test_no_data_leave_no_section_and_still_make_a_page():
    page = Page(render_report(ReportData("nothing", [], {})))
    assert sections(page) == []
    assert "A trained network" in page.words
    assert not page.all("nav")


@pytest.mark.parametrize(
    ("missing", "section"),
    [
        ({"history": {}}, "learning"),
        ({"advice": ()}, "advice"),
        ({"mistakes": ()}, "mistakes"),
        ({"unsure": []}, "unsure"),
        ({"filters": None}, "filters"),
        ({"audit": {}}, "audit"),
        ({"preview": (), "augmentation": ""}, "augmentation"),
        ({"rate_search": None}, "rate"),
        ({"config": {}}, "made"),
    ],
)
def test_what_is_missing_has_no_section(demo, missing, section):
    page = Page(render_report(replace(demo, **missing)))
    assert set(HEADINGS) - set(sections(page)) == {section}
    assert f"#{section}" not in {a["href"] for a in page.all("a")}


@pytest.mark.parametrize("key", ["confusion", "classes", "calibration"])
def test_a_score_that_is_missing_has_no_section(demo, key):
    test = {k: v for k, v in demo.metrics["test"].items() if k != key}
    page = Page(render_report(replace(demo, metrics={**demo.metrics, "test": test})))
    assert key not in sections(page)


@pytest.mark.parametrize("key", sorted(invented().metrics["test"]))
def test_any_one_score_may_be_missing_or_null(demo, key):
    for test in (
        {k: v for k, v in demo.metrics["test"].items() if k != key},
        {**demo.metrics["test"], key: None},
    ):
        bare = ReportData("x", demo.class_names, demo.metrics, audit=demo.audit)
        data = replace(bare, metrics={**demo.metrics, "test": test})
        Page(render_report(replace(data, advice=advise(data))))


def test_the_same_data_give_the_same_bytes(html):
    assert render_report(invented()) == html


def test_the_page_asks_no_host_for_anything(html, page):
    assert not page.all("script")
    for tag, attrs in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        for name, value in attrs.items():
            assert not name.startswith("on")
            if name in {"src", "srcset", "href", "xlink:href", "data", "action"}:
                assert value.startswith(("data:image/", "#")), (tag, name, value[:80])
            if name == "style":
                assert "url(" not in value
    css = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    assert "url(" not in css
    assert "@import" not in css
    assert "://" not in html
    policy = page.all("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none'; img-src data:;")


def test_every_picture_can_be_opened_and_has_words_for_it(page):
    images = page.all("img")
    assert len(images) > 50
    for image in images:
        assert image["alt"]
        kind, _, text = image["src"].partition(";base64,")
        picture = Image.open(io.BytesIO(base64.b64decode(text)))
        assert kind == f"data:image/{picture.format.lower()}"
        picture.load()


def test_headings_go_down_one_step_at_a_time_and_ids_are_unique(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in page.all("section"):
        assert attrs["aria-labelledby"] in ids


def test_tables_say_what_their_headings_are_for_and_can_be_scrolled_by_keyboard(page):
    assert all(attrs.get("scope") in {"row", "col"} for attrs in page.all("th"))
    regions = [a for a in page.all("div") if a.get("class") == "scroll"]
    assert len(regions) >= 5
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in regions)
    assert all(a["role"] == "img" and a["aria-label"] for a in page.all("svg"))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [0, 1])
def test_text_can_be_told_from_its_ground_in_both_themes(html, theme):
    themes = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\);", html)
    colours = {name: pair[theme] for name, *pair in themes}
    grounds = {text: ["paper", "wash"] for text in ("soft", "right", "wrong")}
    grounds["ink"] = ["paper", "wash", "right-heat", "wrong-heat"]
    for text, places in grounds.items():
        for place in places:
            light, dark = luminance(colours[text]), luminance(colours[place])
            contrast = (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
            assert contrast >= 4.5, (text, place, contrast)
    for mark in ("right-fill", "wrong-fill", "rule"):
        light, dark = luminance(colours[mark]), luminance(colours["paper"])
        contrast = (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
        assert contrast >= (2 if mark == "wrong-fill" else 3), (mark, contrast)


def test_old_browsers_have_the_light_theme(html):
    themes = re.findall(r"--([\w-]+): light-dark\((#\w+), #\w+\);", html)
    assert len(themes) > 8
    fallback = html.partition("@supports not")[2].partition("}")[0]
    assert re.findall(r"--([\w-]+): (#\w+);", fallback) == themes


def test_hostile_names_are_text_wherever_they_stand(demo):
    names = HOSTILE
    data = invented(names)
    audit = {
        **data.audit,
        "skipped": [{"name": n, "reason": n} for n in names],
        "findings": [{"severity": n, "sentence": n} for n in names]
        + [{"severity": "error", "sentence": n} for n in names],
        "duplicates": {"exact": [[{"name": n, "class": n, "part": n} for n in names]]},
        "modes": dict.fromkeys(names, 1),
        "size_quantiles": {n: {n: 1} for n in names},
    }
    data = replace(
        data,
        title=names[0],
        audit=audit,
        config={"command": list(names), names[0]: {names[1]: names[2]}, "x": names},
        augmentation=names[1],
        history={**data.history, names[0]: [1.0]},
        metrics={**data.metrics, "model": {"name": names[0], "why": names[0]}},
        mistakes=[replace(data.mistakes[0], name=name) for name in names],
    )
    html = render_report(replace(data, advice=[*names, *advise(data)]))
    html.encode("utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", html)
    page = Page(html)
    assert not page.all("script")
    assert len(page.all("style")) == 1
    assert not page.all("b") or not any("onclick" in a for a in page.all("b"))
    for name in names:
        assert plain(name) in page.words


@given(st.text(st.characters(categories=("L", "P", "S", "C", "Z")), max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_becomes_text(name):
    shown = plain(name)
    shown.encode("utf-8")
    assert "\n" not in shown
    page = Page(str(in_code(f"{quoted(name)} `--epochs 3`")))
    assert {tag for tag, _ in page.elements} <= {"code"}
    sentence = f"{quoted(name)} `--epochs 3`"
    assert "".join(page.text).replace("`", "") == sentence.replace("`", "")


def test_two_classes_have_a_table_of_four_cells():
    data = invented(("cat", "dog"), test=40)
    page = Page(render_report(data))
    cells = [a for a in page.all("td") if a.get("class") in {"right", "wrong", "none"}]
    assert len(cells) == 4
    assert sections(page) == list(HEADINGS)
    assert "Top" not in page.words  # among the first two answers is everything


@pytest.mark.parametrize(
    ("accuracies", "error", "words"),
    [
        ([0.95, 0.55], 0.0, "as sure as it may be"),
        ([1.0, 0.5], 0.05, "both cancel out"),
        ([0.75, 0.5], 0.125, "surer than it should be, by 12 percentage points"),
        ([1.0, 0.7], 0.1, "less sure than it should be, by 10 percentage points"),
    ],
)
def test_the_report_says_how_sure_it_may_be(accuracies, error, words):
    rows = [
        {"samples": 40, "confidence": confidence, "accuracy": accuracy}
        for confidence, accuracy in zip([0.95, 0.55], accuracies, strict=True)
    ]
    test = {"calibration": rows, "calibration_error": error}
    page = Page(render_report(ReportData("x", ["a", "b"], {"test": test})))
    assert words in page.words
    assert sections(page) == ["in_words", "calibration"]


def test_many_classes_become_a_picture_and_a_list_of_confusions():
    names = tuple(f"class number {i}" for i in range(150))
    data = invented(names, test=30)
    html = render_report(data)
    page = Page(html)
    matrix = [a for a in page.all("img") if a.get("class", "").startswith("matrix")]
    assert [(a["width"], a["height"]) for a in matrix] == [("150", "150")]
    assert "The most frequent confusions" in page.words
    assert "The other 120 classes" in page.words
    assert all(page.words.count(name) for name in names)
    assert len(html) < 1_000_000


def test_a_network_without_mistakes_is_told_so(demo):
    k = len(demo.class_names)
    test = {**demo.metrics["test"], "confusion": (100 * np.eye(k, dtype=int)).tolist()}
    page = Page(render_report(replace(demo, metrics={**demo.metrics, "test": test})))
    assert "There is no mistake among the test pictures" in page.words


def test_a_class_without_test_pictures_has_no_recall(demo):
    rows = [dict(row) for row in demo.metrics["test"]["classes"]]
    rows[0] |= {"samples": 0, "recall": None, "precision": None, "f1": None}
    test = {**demo.metrics["test"], "classes": rows}
    page = Page(render_report(replace(demo, metrics={**demo.metrics, "test": test})))
    assert f"{rows[0]['name']} 0 – – –" in page.words


def test_large_pictures_are_scaled_down_and_the_page_stays_small():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (1000, 800, 3), dtype="uint8")
    heat = rng.random((1000, 800))
    shown = [Shown(picture, "x.jpg", 0, np.array([0.1, 0.9]), heat, heat)] * 3
    html = render_report(ReportData("x", ["a", "b"], {}, mistakes=shown, unsure=shown))
    Page(html)
    assert len(html) < 1_000_000
    file = base64.b64decode(address(picture).partition(",")[2])
    assert Image.open(io.BytesIO(file)).size == (179, 224)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 24, 3), (1, 1, 1), (9, 200, 3)])
def test_pictures_keep_their_pixels(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype="uint8")
    small = picture[:96, :96]
    file = base64.b64decode(address(small).partition(",")[2])
    read = np.asarray(Image.open(io.BytesIO(file)))
    np.testing.assert_array_equal(read.reshape(small.shape), small)


def test_maps_colour_the_place_and_leave_the_rest_grey():
    picture = np.full((8, 8, 1), 120, dtype="uint8")
    cam = np.zeros((8, 8))
    cam[2, 3] = 1
    drawn = cam_overlay(picture, cam).astype(int)
    red, _, blue = drawn[2, 3]
    assert red > blue + 80  # orange
    drawn[2, 3] = drawn[0, 0]
    assert (drawn == drawn[0, 0, 0]).all()
    drawn = occlusion_overlay(picture, 0.01 * cam - 0.01 * cam.T).astype(int)
    assert drawn[2, 3, 0] > drawn[2, 3, 2] + 80  # orange: it helped
    assert drawn[3, 2, 2] > drawn[3, 2, 0] + 80  # blue: it harmed
    blank = occlusion_overlay(picture, np.full((8, 8), np.nan))
    assert (blank == blank[0, 0, 0]).all()


def test_filters_lie_side_by_side_with_gaps_between():
    filters = np.arange(3 * 4 * 5 * 3, dtype="uint8").reshape(3, 4, 5, 3)
    whole = sheet(filters, columns=2)
    assert whole.shape == (9, 11, 4)
    np.testing.assert_array_equal(whole[:4, 6:, :3], filters[1])
    assert (whole[4] == 0).all()


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-6, 1e6),
    st.integers(2, 8),
)
def test_round_numbers_are_few_and_inside(low, length, wanted):
    high = low + length
    if not low < high:
        return
    numbers = round_numbers(low, high, wanted)
    assert len(numbers) <= wanted + 1
    room = 1e-6 * (high - low) + 1e-9 * max(abs(low), abs(high))
    assert all(low - room <= n <= high + room for n in numbers)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1], [0.5]),
        ([1, 2], [0.0, 0.0]),
        ([1, 2, 3], [1.0, math.nan, 2.0]),
        ([1, 2, 3], [None, math.inf, -2.0]),
        (range(1, 1001), [1 / n for n in range(1, 1001)]),
    ],
)
def test_curves_of_any_length_are_drawn_within_their_frame(x, y):
    svg = str(line_chart("a curve", [Series("loss", "first", x, y)], "epoch"))
    assert "nan" not in svg
    assert "inf" not in svg
    for place in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg):
        assert 0 <= float(place[0]) <= 440
        assert 0 <= float(place[1]) <= 270


def test_a_curve_without_numbers_is_no_curve():
    assert (
        line_chart("nothing", [Series("", "first", [1], [math.nan])], "epoch") is None
    )
    page = Page(render_report(ReportData("x", [], {}, history={"loss": [math.nan]})))
    assert sections(page) == []


@pytest.mark.parametrize(
    "history",
    [
        {"loss": [1.0], "val_loss": [1.2], "accuracy": [0.5], "val_accuracy": [0.4]},
        {"loss": [1.0, 0.5, 0.2]},
        {"loss": [1.0, 0.5], "val_loss": [1.0]},
    ],
)
def test_a_short_history_is_drawn(history):
    page = Page(render_report(ReportData("x", [], {"best_epoch": 1}, history=history)))
    assert sections(page) == ["learning"]
    assert page.all("svg")


def test_percentages_say_all_or_nothing_only_where_it_is_so():
    assert percent(1.0) == "100\u202f%"
    assert percent(0.9999, 0) == "99.99\u202f%"
    assert percent(0.0001, 0) == "0.01\u202f%"
    assert between([0.8912, 0.8917]) == "between 89.1 and 89.2\u202f%"
    assert percent(math.nan) == percent("x") == "–"


@given(st.floats(0, 1))
def test_a_percentage_is_never_a_row_of_zeros(share):
    for digits in (0, 1):
        number = percent(share, digits).removesuffix("\u202f%")
        assert (number == "0") == (share == 0)
        assert (number == "100") == (share == 1)
        if number.startswith("<"):
            assert (number, share < 1e-4) == ("<\u202f0.01", True)
        elif number.startswith(">"):
            assert (number, share > 0.9999) == (">\u202f99.99", True)
        elif 0 < share < 1:
            assert 0 < float(number) < 100


def test_an_answer_with_next_to_no_probability_says_less_than(demo):
    p = np.array([1 - 2e-9, 1e-9, 1e-9])
    one = replace(demo.mistakes[0], label=1, probabilities=p)
    html = render_report(replace(demo, mistakes=[one], unsure=[]))
    assert "<b>&lt;\u202f0.01\u202f%</b>" in html
    assert "0.0000" not in Page(html).words


@given(st.text(st.sampled_from("ab1/\\_.-<&\"'> \n\u202e"), max_size=40))
def test_a_file_name_may_be_broken_behind_its_parts_and_nowhere_else(name):
    page = Page(str(path(name)))
    assert {tag for tag, _ in page.elements} <= {"bdi", "wbr"}
    assert "".join(page.text) == plain(name)
    pieces = page.text
    assert all(piece[-1] in "/\\_.-" for piece in pieces[:-1])
    assert all(piece[0] not in "/\\_.-" for piece in pieces[1:])


def test_a_card_breaks_a_long_file_name_before_its_ending(demo):
    one = replace(demo.mistakes[0], name="test/fashion_item_001491.png")
    html = render_report(replace(demo, mistakes=[one]))
    assert "<wbr>item_<wbr>001491.<wbr>png</bdi></p>" in html


def test_modes_of_pictures_are_words(demo):
    modes = {"L": 2501, "RGBA": 3, "I;16": 2, "1": 1, "P": 4, "XYZ": 5}
    page = Page(render_report(replace(demo, audit={**demo.audit, "modes": modes})))
    words = (
        "grey (2,501), colour with transparency (3), grey of 16 bits (2), black and "
        "white (1), colour from a palette (4), XYZ (5)"
    )
    assert words in page.words


# --- advice


def advice(**data):
    empty = {"title": "x", "class_names": ["cat", "dog", "fox"], "metrics": {}}
    return advise(ReportData(**{**empty, **data}))


def test_nothing_known_gives_no_advice():
    assert advice() == []


def test_a_good_run_gives_no_advice():
    metrics = {
        "test": {
            "accuracy": 0.98,
            "accuracy_interval": [0.97, 0.99],
            "balanced_accuracy": 0.98,
            "majority_accuracy": 0.34,
            "samples": 1000,
            "confusion": [[330, 2, 1], [2, 331, 1], [1, 1, 331]],
            "calibration_error": 0.01,
        },
        "train": {"accuracy": 0.99},
        "validation": {"accuracy": 0.98, "samples": 1000},
        "epochs": 10,
        "best_epoch": 7,
        "model": {"name": "cnn"},
    }
    history = {"loss": [1.0, 0.2, 0.1], "val_loss": [1.1, 0.2, 0.21]}
    classes = [{"name": n, "train": 900} for n in ("cat", "dog", "fox")]
    assert advice(metrics=metrics, history=history, audit={"classes": classes}) == []


def test_augmentation_that_was_left_out_for_a_reason_is_not_advised():
    accuracies = {"train": {"accuracy": 0.99}, "validation": {"accuracy": 0.8}}
    augmentation = {"words": "none", "why": "digits stand upright"}
    for chosen, said in (("auto", False), ("none", True)):
        sentences = advice(
            metrics=accuracies
            | {"augmentation": augmentation, "settings": {"augment": chosen}}
        )
        assert ("--augment auto" in " ".join(sentences)) == said


def test_the_truth_is_among_the_answers_that_are_listed():
    x, says = np.zeros((4, 4, 1), np.uint8), np.array([0.6, 0.3, 0.0999, 0.0001])
    one = Shown(x, "x.png", 3, says, cam=np.zeros((4, 4)))
    page = render_report(ReportData("x", ["a", "b", "c", "dog"], {}, mistakes=[one]))
    assert page.count('aria-label="the truth"') == 1
    assert '<bdi>dog</bdi> <span class="truth"' in page
    assert page.count("<li><span><bdi>") == 3


def test_a_network_that_learned_more_after_its_best_epoch_is_not_too_simple():
    metrics = {
        "train": {"accuracy": 0.86},
        "validation": {"accuracy": 0.85},
        "model": {"name": "cnn"},
        "epochs": 12,
    }
    for best, said in ((0.88, True), (0.94, False)):
        sentences = advice(metrics=metrics, history={"accuracy": [0.5, 0.86, best]})
        assert ("too simple" in " ".join(sentences)) == said


def test_pictures_that_are_kept_aside_are_counted():
    audit = {"pictures": 100, "parts": {"train": 80, "test": 20}, "shape": [8, 8, 1]}
    metrics = {"validation": {"samples": 10}, "test": {"samples": 20}}
    page = render_report(ReportData("x", ["a", "b"], metrics, audit=audit))
    assert "aside of those to learn from: 10 to choose the best epoch by. " in page
    audit["parts"] = {"train": 100}
    page = render_report(ReportData("x", ["a", "b"], metrics, audit=audit))
    assert "10 to choose the best epoch by, 20 for the test. " in page


@pytest.mark.parametrize(
    ("data", "option"),
    [
        (
            {"metrics": {"train": {"accuracy": 0.99}, "validation": {"accuracy": 0.8}}},
            "`--augment auto`",
        ),
        (
            {
                "metrics": {
                    "train": {"accuracy": 0.6},
                    "validation": {"accuracy": 0.6},
                    "model": {"name": "linear"},
                    "epochs": 12,
                }
            },
            "`--model cnn`",
        ),
        ({"history": {"val_loss": [5, 4, 3, 2, 1]}}, "`--epochs 10`"),
        ({"metrics": {"epochs": 1}}, "`--epochs 10`"),
        ({"history": {"loss": [2.3] * 6}}, "`--find-lr`"),
        ({"history": {"val_loss": [1, 2, 1, 2, 1, 2, 1]}}, "`--learning-rate`"),
        ({"metrics": {"validation": {"samples": 30}}}, "`--validation`"),
        (
            {
                "metrics": {"test": {"accuracy": 0.9, "balanced_accuracy": 0.7}},
                "audit": {
                    "classes": [
                        {"name": "cat", "train": 900},
                        {"name": "dog", "train": 90},
                    ]
                },
            },
            "`--class-weights balanced`",
        ),
        (
            {
                "metrics": {"test": {"confusion": [[9, 7, 0], [5, 9, 0], [0, 0, 9]]}},
                "audit": {
                    "shape": [32, 32, 3],
                    "sizes": [{"width": 64, "height": 70, "count": 9}],
                },
            },
            "`--size 64`",
        ),
    ],
)
def test_advice_names_the_option_that_helps(data, option):
    sentences = advice(**data)
    assert len(sentences) == 1
    assert option in sentences[0]


@pytest.mark.parametrize(
    ("audit", "words"),
    [
        (
            {"duplicates": {"exact": [[{"part": "train"}, {"part": "test"}]]}},
            "1 picture stands in more than one part",
        ),
        (
            {"duplicates": {"exact": [[{"class": "a"}, {"class": "b"}]] * 2}},
            "2 pictures stand in two classes",
        ),
        ({"skipped": [{"name": "a.png"}] * 3}, "and 2 more were passed over"),
        ({"classes": [{"name": "cat", "train": 7}]}, "has only 7 pictures"),
    ],
)
def test_advice_follows_from_the_audit(audit, words):
    sentences = advice(audit=audit)
    assert len(sentences) == 1
    assert words in sentences[0]


def test_advice_on_sureness_follows_from_the_calibration():
    row = {"samples": 100, "confidence": 0.9, "accuracy": 0.8}
    test = {"calibration": [row], "calibration_error": 0.1}
    assert (
        "surer than it should be, by 10 percentage points"
        in advice(metrics={"test": test})[0]
    )
    row["accuracy"] = 1.0
    assert "right more often than it says" in advice(metrics={"test": test})[0]


def test_pictures_that_were_varied_are_not_to_be_varied():
    metrics = {"train": {"accuracy": 0.99}, "validation": {"accuracy": 0.8}}
    sentences = advice(metrics={**metrics, "settings": {"augment": "flip,shift=2"}})
    assert "--augment" not in sentences[0]


def test_the_command_repeats_every_choice(demo):
    settings = {"model": "auto", "seed": 0, "find_lr": True, "strict": False}
    config = {"data": "my cats", "settings": {**settings, "learning_rate": None}}
    config["threads"] = 2
    page = Page(render_report(replace(demo, config=config)))
    assert "deepneuron train 'my cats' --seed 0 --find-lr --threads 2" in page.words
    assert "--strict" not in page.words.partition("This command makes the run again")[2]


def test_settings_are_shown_as_they_came_to_be(demo):
    metrics = {**demo.metrics, "settings": {"learning_rate": 0.0015, "size": None}}
    config = {"settings": {"learning_rate": None, "size": None}}
    page = Page(render_report(replace(demo, metrics=metrics, config=config)))
    assert "learning rate 0.0015" in page.words.partition("How it was made")[2]
    assert "size" not in page.words.rpartition("How it was made")[2]


# --- the module shows itself


def test_the_module_writes_the_report_it_shows(tmp_path, monkeypatch, capsys, html):
    path = tmp_path / "look.html"
    monkeypatch.setattr("sys.argv", ["demo", str(path)])
    main()
    assert path.read_bytes().decode("utf-8") == html
    assert str(path) in capsys.readouterr().out


def test_everything_that_is_known_of_a_run_has_a_field():
    needed = {
        f.name for f in fields(ReportData) if f.name not in {"title", "class_names"}
    }
    data = invented()
    assert all(len(getattr(data, name)) for name in needed)
