"""A logo is known by its content, and an SVG is one only if it does nothing but draw."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from formats.large_report import large_report
from keyaudit.errors import UsageError
from keyaudit.formats import logo, render
from keyaudit.formats.presentation import Presentation

DRAWN = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><defs><linearGradient id="a">'
    b'<stop offset="0" stop-color="#123"/></linearGradient></defs><path d="M0 0h9v9z" fill="url(#a)"/></svg>'
)


def picture(form: str, size: tuple[int, int] = (12, 8)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "navy").save(made, form)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "mime"),
    [(picture("PNG"), "image/png"), (picture("JPEG"), "image/jpeg"), (DRAWN, "image/svg+xml")],
)
def test_a_picture_is_what_its_content_is_and_stands_in_both_formats(content: bytes, mime: str) -> None:
    read = logo.read(content, "logo.whatever")
    assert (read.mime, read.content) == (mime, content)
    presented = Presentation(logo=read)
    page = render("html", large_report(1), presentation=presented, entity='A "B"').decode()
    assert page.count(f'<img class="logo" src="{read.address}" alt="Logo of A &#34;B&#34;">') == 1
    assert "img-src data:;" in page
    assert "img-src" not in render("html", large_report(1)).decode()
    with pikepdf.open(io.BytesIO(render("pdf", large_report(1), presentation=presented))) as pdf:
        first = pdf.pages[0].Resources.get("/XObject", {})
        assert bool(first) or mime == "image/svg+xml"


def svg(inside: str, attributes: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (svg("<script>alert(1)</script>"), "has an element 'script'"),
        (svg("<g onload='x()'/>"), "has an attribute 'onload'"),
        (svg("<a href='https://x.example'/>"), "has an element 'a'"),
        (svg("<image href='https://x.example/a.png'/>"), "has an element 'image'"),
        (svg("<use href='#a'/>"), "has an element 'use'"),
        (svg("<style>@import url(//x)</style>"), "has an element 'style'"),
        (svg("<foreignObject/>"), "has an element 'foreignObject'"),
        (svg("<animate/>"), "has an element 'animate'"),
        (svg("<rect fill='url(https://x.example/a)'/>"), "refers to something outside itself in 'fill'"),
        (svg("<rect fill='URL( file:///etc/passwd )'/>"), "refers to something outside itself in 'fill'"),
        (svg("<rect style='fill:red'/>"), "has an attribute 'style'"),
        (
            svg("", 'xmlns:h="http://www.w3.org/1999/xhtml"').replace(b"</svg>", b"<h:p/></svg>"),
            "element 'p'",
        ),
        (b"<!DOCTYPE svg [<!ENTITY a 'aaaa'>]>" + svg("<title>&a;</title>"), "document type, an entity"),
        (b'<?xml-stylesheet href="x"?>' + svg(""), "processing instruction"),
        (svg("<g/>" * 5001), "more than 5,000 elements"),
        (b"<html></html>", "has an element 'html'"),
        (b"GIF89a", "is no PNG, no JPEG and no SVG"),
        (b"", "is no PNG, no JPEG and no SVG"),
        (picture("PNG")[:30], "is a broken picture"),
        (picture("JPEG")[:20], "is a broken picture"),
        (picture("PNG", (4000, 2000)), "is 4,000 by 2,000 pixels"),
        (picture("JPEG", (4000, 2000)), "is 4,000 by 2,000 pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"a" * logo.LARGEST, "524,288 are allowed"),
    ],
)
def test_what_could_do_more_than_draw_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        logo.read(content, "logo.svg")
    assert refused.value.hint == "a logo is a PNG, a JPEG, or an SVG that only draws"


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg "]))
def test_no_bytes_end_in_anything_but_a_picture_or_a_refusal(content: bytes, start: bytes) -> None:
    try:
        read = logo.read(start + content, "x")
    except UsageError:
        return
    assert read.content == start + content


def test_without_a_logo_nothing_changes() -> None:
    report = large_report(1)
    assert render("html", report) == render("html", report, presentation=replace(Presentation(), logo=None))
