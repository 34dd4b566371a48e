"""Figures as files: what is embedded, how many pixels, and what is refused."""

import re
import struct

import matplotlib as mpl
import pytest
from references import estimates

import bayesmeta as bm

DATA = estimates([-0.9, 0.1, -0.3, -0.5], [0.6, 0.2, 0.3, 1.0])


def drawn():
    return bm.plots.funnel(DATA, width=85)


def test_letters_of_a_pdf_are_embedded_as_truetype_whatever_the_users_settings(tmp_path):
    path = tmp_path / "funnel.pdf"
    with mpl.rc_context({"pdf.fonttype": 3}):
        bm.plots.save(drawn(), path)
    pdf = path.read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf
    assert b"/Subtype /Type3" not in pdf
    assert b"DejaVuSans" in pdf
    page = list(map(float, re.search(rb"/MediaBox \[([^]]+)\]", pdf)[1].split()))
    assert page[2] == pytest.approx(85 / 25.4 * 72, abs=0.1)
    first = pdf
    bm.plots.save(drawn(), path)
    assert path.read_bytes() == first


def test_a_png_has_600_dots_per_inch_unless_others_are_asked_for(tmp_path):
    path = tmp_path / "funnel.PNG"
    for asked, dpi in (({}, 600), ({"dpi": 150}, 150)):
        bm.plots.save(drawn(), str(path), **asked)
        png = path.read_bytes()
        wide, _ = struct.unpack(">II", png[16:24])
        assert wide == pytest.approx(85 / 25.4 * dpi, abs=1)
        at = png.index(b"pHYs") + 4
        per_metre = struct.unpack(">I", png[at : at + 4])[0]
        assert per_metre == pytest.approx(dpi / 0.0254, abs=1)


def test_an_svg_is_that_of_save_svg(tmp_path):
    path = tmp_path / "funnel.svg"
    bm.plots.save(drawn(), path)
    assert path.read_text(encoding="utf-8") == bm.plots.save_svg(drawn())


def test_what_is_too_large_for_a_png_is_refused_with_the_dots_that_it_takes(tmp_path):
    figure, path = drawn(), tmp_path / "long.png"
    figure.set_size_inches(85 / 25.4, 90)
    with pytest.raises(bm.ModelError, match=r"85 × 2286 mm takes 1 to 576 dpi here, not 600"):
        bm.plots.save(figure, path)
    figure.set_size_inches(1, 400)
    with pytest.raises(bm.ModelError, match=r"takes 1 to 163 dpi .* give dpi=163, draw fewer"):
        bm.plots.save(figure, path)
    with pytest.raises(bm.ModelError, match="not 0"):
        bm.plots.save(figure, path, dpi=0)
    assert not path.exists()
    with pytest.raises(bm.ModelError, match=r"\.svg, \.pdf, \.png, and 'figure\.gif' has none"):
        bm.plots.save(figure, tmp_path / "figure.gif")
