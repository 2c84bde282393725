"""What a code cell put out, as text and pictures that fit on paper."""

from __future__ import annotations

import base64
import binascii
import html
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\].*?(?:\x07|\x1b\\)|\x1b[@-_]", re.DOTALL)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000\ue001\u200b\u2028\u2029\ufeff]")
EMBEDDED = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,([A-Za-z0-9+/=\s\\]+)")
BARE_OBJECT = re.compile(r"<[\w.]+( object)?( at 0x[0-9a-f]+)?>")
MOST_LINES, FIRST_LINES, LAST_LINES = 120, 70, 40
LONGEST_LINE = 6_000
MOST_PIXELS = 60_000_000
SHOWN_FRAMES = 3


@dataclass(frozen=True)
class Text:
    """Lines that a cell printed, returned or, with ``error``, ended with."""

    text: str
    error: bool = False


@dataclass(frozen=True)
class Figure:
    """A picture as bytes, ``kind`` being its file ending, ``width`` its width in points."""

    data: bytes
    kind: str
    width: float | None
    alt: str = ""


@dataclass(frozen=True)
class Remark:
    """What stands in the place of something that paper cannot show."""

    text: str


Item = Text | Figure | Remark


def joined(value: Any) -> str:
    """A text of a notebook, which may stand there as a list of lines."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    if not isinstance(value, str):
        return ""
    # A lone surrogate is legal JSON, but no text.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean(text: str) -> str:
    """Terminal text as it reads in the end: no colours, progress bars in their last state."""
    lines = []
    for line in ANSI.sub("", text).replace("\r\n", "\n").split("\n"):
        states = [state for state in line.split("\r") if state.strip()]
        lines.append(CONTROL.sub("", states[-1] if states else "").expandtabs(4).rstrip())
    return "\n".join(lines).strip("\n")


def shortened(text: str) -> str:
    """The text, or the beginning and end of a very long one with a line that says so between."""
    lines = [_short_line(line) for line in text.split("\n")]
    if len(lines) <= MOST_LINES:
        return "\n".join(lines)
    left = len(lines) - FIRST_LINES - LAST_LINES
    told = f"[… {left:,} lines are left out here; they stand in the notebook …]"
    return "\n".join([*lines[:FIRST_LINES], told, *lines[-LAST_LINES:]])


def _short_line(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    half = LONGEST_LINE // 2
    left = len(line) - 2 * half
    told = f" [… {left:,} characters are left out here; they stand in the notebook …] "
    return line[:half] + told + line[-half:]


def items_of(cell: Mapping[str, Any]) -> Iterator[Item]:
    """What to show below a code cell, in order."""
    streamed: list[str] = []
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        if output.get("output_type") == "stream":
            streamed.append(joined(output.get("text")))
            continue
        yield from _text("".join(streamed))
        streamed = []
        if output.get("output_type") == "error":
            traced = joined([f"{joined(line)}\n" for line in output.get("traceback") or []])
            said = f"{joined(output.get('ename'))}: {joined(output.get('evalue'))}"
            yield from _text(traced or said, error=True)
        else:
            yield from _displayed(output)
    yield from _text("".join(streamed))


def _text(text: str, error: bool = False) -> Iterator[Text]:
    shown = shortened(clean(text))
    if shown.strip():
        yield Text(shown, error)


def _displayed(output: Mapping[str, Any]) -> Iterator[Item]:
    data = output.get("data")
    data = data if isinstance(data, dict) else {}
    metadata = output.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for mime in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        if mime in data:
            own = metadata.get(mime)
            own = own if isinstance(own, dict) else {}
            alt = own.get("alt") or metadata.get("alt") or ""
            yield figure_from(_decoded(joined(data[mime])), own.get("width"), joined(alt))
            return
    if "image/svg+xml" in data:
        yield Figure(joined(data["image/svg+xml"]).encode(), "svg", None)
        return
    page, plain = joined(data.get("text/html")), joined(data.get("text/plain"))
    frames = EMBEDDED.findall(page)
    if frames:
        yield from _frames(frames)
    elif "application/vnd.jupyter.widget-view+json" not in data:  # a progress bar, when done
        yield from _text(page_text(page) if page and _is_bare(plain) else plain)


def _is_bare(plain: str) -> bool:
    return not plain.strip() or BARE_OBJECT.fullmatch(plain.strip()) is not None


def _frames(frames: list[str]) -> Iterator[Item]:
    chosen = frames
    if len(frames) > SHOWN_FRAMES:
        last = len(frames) - 1
        chosen = [frames[round(last * k / (SHOWN_FRAMES - 1))] for k in range(SHOWN_FRAMES)]
        yield Remark(
            f"An animation of {len(frames)} frames plays in the notebook; here are its first,"
            " a middle and its last one."
        )
    for frame in chosen:
        yield figure_from(_decoded(frame), None, "")


def page_text(page: str) -> str:
    """The words of a piece of HTML."""
    page = re.sub(r"<!--.*?-->|<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL | re.I)
    page = re.sub(r"\s+", " ", page)
    page = re.sub(r"</t[dh]>", "  ", page, flags=re.I)
    page = re.sub(r"<br\b[^>]*>|</(p|div|li|tr|h\d|pre)>", "\n", page, flags=re.I)
    lines = [line.strip() for line in html.unescape(re.sub(r"<[^>]*>", "", page)).split("\n")]
    return "\n".join(line for line in lines if line)


# ---------------------------------------------------------------- pictures


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"[\s\\]", "", text), validate=True)
    except (binascii.Error, ValueError):
        return b""


def figure_from(data: bytes, width: Any, alt: str) -> Figure | Remark:
    """A picture that Typst can read, or a remark where the bytes are none.

    ``width`` is in a browser's pixels where the notebook names it.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data))
            if picture.width * picture.height > MOST_PIXELS:
                size = f"{picture.width:,} by {picture.height:,} points"
                return Remark(f"A picture of {size} is too large for this page.")
            picture.load()
            known = isinstance(width, int | float) and 0 < width < 10_000
            # 0.72: a hundred points to the inch, as the course's figures are drawn.
            points = 0.75 * width if known else 0.72 * picture.width
            if picture.format in ("PNG", "JPEG") and picture.mode in ("L", "LA", "RGB", "RGBA"):
                return Figure(data, "png" if picture.format == "PNG" else "jpg", points, alt)
            stored = io.BytesIO()
            picture.convert("RGBA").save(stored, "PNG")
            return Figure(stored.getvalue(), "png", points, alt)
    except Exception:  # a damaged picture fails in many ways, and none of them is worth the rest
        return Remark("A picture here is damaged and cannot be shown.")
