"""The pictures of a page: held apart while it is made, and put in as far as there is room.

A picture is megabytes of base64. No parser of Markdown or HTML gets to see it: a short address
stands for it there, and a placeholder in the finished markup.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from grading.page_room import left_out

RASTER = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
SVG = "image/svg+xml"
TYPES = (*RASTER.values(), SVG)
MOST_PIXELS = 30_000_000  # a reader's browser takes four bytes for each
MOST_PICTURES = 1_000
MOST_BYTES = 40_000_000  # a larger one is not even looked at
SHRUNK = 900  # pixels: the longer side of a picture that was scaled down
SHRINK_SECONDS = 2.0
SVG_PARTS = 20_000
DATA = r"data:(image/(?:png|jpeg|gif|webp|svg\+xml));base64,"
IN_QUOTES = re.compile(rf"(?i)([\"']){DATA}([A-Za-z0-9+/=\s]*)\1")
BARE = re.compile(rf"(?i){DATA}([A-Za-z0-9+/=]*)")


@dataclass
class Picture:
    """A picture as a submission has it: its declared type and its base64."""

    kind: str
    data: str
    checked: bool = False
    trouble: str | None = None

    def check(self) -> str | None:
        """Why it is not shown, or None; the type becomes what the bytes are."""
        if not self.checked:
            self.checked = True
            try:
                self.kind, self.data = _sound(self.kind, self.data)
            except ValueError as error:
                self.trouble = str(error)
        return self.trouble


class Gallery:
    """Holds the pictures of one page.

    `mark` is a word that nothing in the submission can hold; placeholders begin with it.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._held: list[Picture] = []
        self._known: dict[tuple[str, str], Picture] = {}
        self._shown: list[tuple[Picture, str]] = []
        self._addresses = re.compile(rf"held:{mark}(\d+)")

    def lift(self, text: str) -> str:
        """The text, with a short address in place of each embedded picture."""
        text = IN_QUOTES.sub(lambda m: f"{m[1]}{self.hold(m[2], m[3])}{m[1]}", text)
        return BARE.sub(lambda m: self.hold(m[1], m[2]), text)

    def hold(self, kind: str, data: str) -> str:
        """The address of a picture that is held from now on."""
        self._held.append(Picture(kind.lower(), data))
        return f"held:{self._mark}{len(self._held) - 1}"

    def at(self, address: str, alt: str, attachments: Mapping[str, Any]) -> str:
        """A placeholder for the picture at an address; no text where there is none."""
        found = self._addresses.fullmatch(address)
        if found:
            held = self._held[int(found[1])]
            return self.show(held.kind, held.data, alt)
        if address.startswith("attachment:"):
            for kind, data in _attached(attachments, address.removeprefix("attachment:")):
                return self.show(kind, data, alt)
        return ""

    def show(self, kind: str, data: str, alt: str) -> str:
        """A placeholder for one more picture on the page; the same one is looked at once."""
        picture = self._known.setdefault((kind, data), Picture(kind, data))
        self._shown.append((picture, alt.replace(self._mark, "")[:2_000]))
        return f"{self._mark}p{len(self._shown) - 1}e"

    def weight(self, markup: str) -> int:
        """The bytes that the notes on the pictures in some markup would take."""
        found = re.findall(rf"{self._mark}p(\d+)e", markup)
        return sum(200 + 6 * len(self._shown[int(n)][1][:300]) for n in found)

    def fill(self, page: str, room: int) -> str:
        """The page with its pictures: the smallest first, and of equals the first.

        Where not all of them fit, large ones are scaled down. What is not shown leaves a note.
        """
        wanted = sorted({int(n) for n in re.findall(rf"{self._mark}p(\d+)e", page)})
        notes = {n: self._note(n) for n in wanted}
        sizes = {n: _length(self._shown[n][0]) for n in wanted if not self._shown[n][0].check()}
        if sum(sizes.values()) > room:
            self._shrink(sizes)
        made: dict[int, str] = {}
        for n in sorted(sizes, key=lambda n: (_length(self._shown[n][0]), n)):
            if len(made) < MOST_PICTURES and _length(self._shown[n][0]) <= room:
                made[n] = self._element(n)
                room -= len(made[n].encode())
        page = re.sub(
            rf"{self._mark}p(\d+)e", lambda m: made.get(int(m[1]), notes[int(m[1])]), page
        )
        return self._addresses.sub("(a picture)", page)

    def _element(self, n: int) -> str:
        picture, alt = self._shown[n]
        words = html.escape(alt or "A picture without a description.")
        return f'<img src="data:{picture.kind};base64,{picture.data}" alt="{words}">'

    def _note(self, n: int) -> str:
        picture, alt = self._shown[n]
        said = f" It is described as: {html.escape(alt[:300])}" if alt else ""
        trouble = picture.check()
        what = f"a picture{f' {trouble}' if trouble else ''}"
        return left_out(len(picture.data) * 3 // 4, what, said, tag="span")

    def _shrink(self, sizes: Mapping[int, int]) -> None:
        """Scale down what is large, the largest last, as long as that takes no great time."""
        until = time.process_time() + SHRINK_SECONDS
        for n in sorted(sizes, key=lambda n: (sizes[n], n)):
            picture = self._shown[n][0]
            if sizes[n] > 100_000 and picture.kind != SVG and time.process_time() < until:
                _scale_down(picture)


def _attached(attachments: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    bundle = attachments.get(name)
    if isinstance(bundle, dict):
        for kind, data in bundle.items():
            if kind in TYPES and isinstance(data, str):
                yield kind, data


def _length(picture: Picture) -> int:
    return len(picture.data) + 200


def _sound(kind: str, data: str) -> tuple[str, str]:
    """What kind of picture the bytes are, and their base64; ValueError in words if none."""
    if len(data) > MOST_BYTES:
        raise ValueError("that is too large to look at")
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
    except binascii.Error:
        raise ValueError("that is damaged") from None
    if kind == SVG:
        _check_svg(raw)
    else:
        kind = _raster(raw)
    return kind, base64.b64encode(raw).decode()


def _raster(raw: bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels, which are counted below
            with Image.open(io.BytesIO(raw), formats=list(RASTER)) as image:
                (width, height), form = image.size, str(image.format)
    except Exception:  # whatever a hostile file makes of Pillow
        raise ValueError("that is damaged") from None
    if width * height > MOST_PIXELS:
        raise ValueError(f"of {width:,} × {height:,} pixels")
    return RASTER[form]


def _check_svg(raw: bytes) -> None:
    """Refuse drawings that cost a browser much more than their size; scripts never run in them."""
    if b"<!ENTITY" in raw or len(raw) > 2_000_000:
        raise ValueError("that takes too long to draw")
    try:
        parser = ElementTree.iterparse(io.BytesIO(raw), events=("start", "end"))
        inside: list[bool] = []
        parts = 0
        for event, element in parser:
            name = element.tag.rpartition("}")[2]
            if event == "end":
                inside.pop()
                continue
            inside.append("id" in element.attrib)
            parts += 1
            # A reference inside of what can be referred to doubles with each step.
            nested = name == "use" and any(inside)
            if nested or name in ("filter", "foreignObject") or parts > SVG_PARTS:
                raise ValueError("that takes too long to draw")
    except ElementTree.ParseError:
        raise ValueError("that is damaged") from None


def _scale_down(picture: Picture) -> None:
    try:
        with Image.open(io.BytesIO(base64.b64decode(picture.data)), formats=list(RASTER)) as image:
            image.draft("RGB", (SHRUNK, SHRUNK))
            image.thumbnail((SHRUNK, SHRUNK))
            out = io.BytesIO()
            paper = Image.new("RGB", image.size, "white")
            paper.paste(image.convert("RGBA"), mask=image.convert("RGBA"))
            paper.save(out, "JPEG", quality=75)
    except Exception:  # whatever a hostile file makes of Pillow: it stays as large as it is
        return
    if len(out.getvalue()) < len(picture.data) * 3 // 4:
        picture.kind, picture.data = "image/jpeg", base64.b64encode(out.getvalue()).decode()
