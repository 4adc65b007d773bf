"""Draw docs/images/report.png: a few sections of a real report, side by side.

    deepneuron train fashion --out runs/fashion
    python tools/shoot_report.py runs/fashion

Needs Chromium or Chrome; it is looked for under its usual names.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
COLUMNS = (
    (".top", ".hero", "#in_words", "#advice"),
    ("#confusion", "#mistakes"),
)
PARTS = (".top", "nav", ".hero", "section", "footer")
WIDTH, HEIGHT = 800, 1340


def main(run: str) -> None:
    """Shoot each column of the report in a folder, and set them side by side."""
    page = Path(run, "report.html").read_text(encoding="utf-8")
    page = page.replace('id="theme-auto" checked', 'id="theme-auto"')
    page = page.replace('id="theme-light"', 'id="theme-light" checked')
    sheet = Image.new("RGB", (WIDTH * len(COLUMNS), HEIGHT))
    for column, shown in enumerate(COLUMNS):
        picture = shot(page.replace("</style>", style(shown) + "</style>", 1))
        sheet.paste(picture, (WIDTH * column, 0))
    sheet.save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")


def style(shown: tuple[str, ...]) -> str:
    """What hides all of the page but these parts."""
    parts, kept = ", ".join(PARTS), ", ".join(shown)
    return (
        f":is({parts}):not({kept}) {{ display: none !important }}\n"
        "#confusion h3, #confusion h3 ~ * { display: none }\n"  # the matrix is enough
    )


def shot(page: str) -> Image.Image:
    """The page as a browser draws it, WIDTH x HEIGHT pixels of it."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"None of these browsers is there: {', '.join(BROWSERS)}.")
    with tempfile.TemporaryDirectory() as folder:
        html, png = Path(folder, "page.html"), Path(folder, "page.png")
        html.write_text(page, encoding="utf-8")
        subprocess.run(  # noqa: S603 - a browser, and our own page
            [
                *(browser, "--headless", "--no-sandbox", "--hide-scrollbars"),
                *(f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={png}"),
                html.as_uri(),
            ],
            check=True,
            capture_output=True,
        )
        return Image.open(io.BytesIO(png.read_bytes())).convert("RGB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runs/fashion")
