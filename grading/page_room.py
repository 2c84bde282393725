"""What fits on a page: parts in order of their worth, the smallest of equals first, and notes on
what did not."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

AROUND = 400  # bytes of markup around a part, and of the note on those behind it
MISSES = 3  # parts of one rank that may fail to fit before none is tried any more


@dataclass
class Part:
    """A part of a page.

    `rank` says how soon it is served (0 first), `size` how many bytes it was made from; `render`
    makes its markup, and is None where it is one too many. `markup` is None as long as it is not on
    the page.
    """

    rank: int
    size: int
    render: Callable[[], str] | None
    what: str = "text"
    markup: str | None = None


def fit(parts: Iterable[Part], room: int, weigh: Callable[[str], int]) -> int:
    """Render as many parts as fit into `room` bytes; returns the bytes that are left.

    `weigh` says how many bytes a part's markup takes in the end.
    """
    missed: dict[int, int] = {}
    for part in sorted(parts, key=lambda part: (part.rank, part.size)):
        if part.render is None or missed.get(part.rank, 0) >= MISSES or room <= AROUND:
            continue
        markup = part.render()
        cost = weigh(markup) + AROUND
        if cost <= room:
            part.markup = markup
            room -= cost
        else:
            missed[part.rank] = missed.get(part.rank, 0) + 1
    return room


def joined(parts: Sequence[Part]) -> str:
    """The markup of parts in order, with one note for each run of those that did not fit."""
    made = []
    for shown, run in groupby(parts, key=lambda part: part.markup is not None):
        if shown:
            made += [str(part.markup) for part in run]
        else:
            missing = list(run)
            kinds = sorted({part.what for part in missing})
            made.append(left_out(sum(part.size for part in missing), " and ".join(kinds)))
    return "\n".join(made)


def left_out(size: int, what: str = "text", more: str = "", tag: str = "p") -> str:
    """A note on what is not on the page; `more` is markup."""
    if what.startswith("a "):
        said = f"{what[0].upper()}{what[1:]}, {size_of(size)}, was left out here."
    else:
        said = f"{size_of(size)} of {what} were left out here."
    return f'<{tag} class="left-out">{html.escape(said)}{more}</{tag}>'


def size_of(count: int) -> str:
    """A number of bytes as one reads it."""
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if count >= unit:
            number = f"{count / unit:.1f}" if count < 10 * unit else f"{count // unit:,}"
            return f"{number} {name}"
    return f"{count} byte{'' if count == 1 else 's'}"


def cut(text: str, head: int, tail: int = 0) -> tuple[str, int, str]:
    """The beginning and the end of a text, and between them how many bytes are left out."""
    if len(text) <= head + tail:
        return text, 0, ""
    end = text[len(text) - tail :] if tail else ""
    return text[:head], len(text[head : len(text) - tail].encode("utf-8", "replace")), end
