"""Texts are well set: headings in order, links that lead somewhere, pictures in words, formulas."""

import re
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from written import CODE, LABS, MATHS, ROOT, TEXTS, cells, prose, tokens

# What MathJax (JupyterLab, the code host) and KaTeX (nbconvert's other readers) both draw. The code
# host refuses \operatorname and every definition of new commands.
COMMANDS = set(
    re.findall(
        r"\\(?:[A-Za-z]+|.)",
        r"""\, \; \! \: \  \\ \_ \{ \} \% \| \Big \Sigma \alpha \approx \bar \begin \beta \big
        \cdot \cos \delta \dot \dots \end \epsilon \eta \exp \frac \gamma \ge \hat \in \infty \int
        \lVert \lambda \langle \ldots \left \leftarrow \le \log \mathbb \mathbf \mathcal \mathrm
        \max \mid \min \mu \nabla \ne \neq \odot \omega \partial \phi \pi \prod \propto \qquad \quad
        \rVert \rangle \right \sigma \sim \sin \sqrt \sum \text \tfrac \theta \tilde \times \to \top
        \underbrace \varepsilon \varnothing \xrightarrow""",
    )
)

TERMS = {
    r"classifier free guidance": "classifier-free guidance",
    r"flow-matching|flowmatching": "flow matching",
    r"\bunets?\b|\bU-net": "U-Net",
    r"\bdatasets?\b|\bdata-sets?\b": "data set",
    r"\bFrechet": "Fréchet",
    r"\bgr[a]y\b": "grey",
    r"\bcolor|\bbehavior|\bneighbor|\bcenter(?!line)": "the British spelling, with -our, -re",
    r"\w+(?:al|ar|ogn|ptim|nth)iz(?:e|ed|es|ing|ation)\b": "the British spelling, with -is-",
    r"\bPytorch|\bpytorch": "PyTorch",
    r"\bGithub|\bgithub\b": "GitHub",
    r"\bJupyter Lab|\bJupyterlab": "JupyterLab",
    r"\bbatch ?norm\b|\bBatchnorm": "BatchNorm",
    r"\btime-?steps?\b": "step, or time",
}


@pytest.mark.parametrize("name", TEXTS)
def test_headings_are_in_order(name: str) -> None:
    levels = [int(part.tag[1]) for part in tokens(name) if part.type == "heading_open"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def _anchors(name: str) -> set[str]:
    found = tokens(name)
    heads = [found[i + 1].content for i, part in enumerate(found) if part.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def _trouble(name: str, address: str) -> str:
    """What is wrong with a link or the address of a picture; "" where nothing is."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        whole = parts.scheme == "https" and re.fullmatch(r"[\w.-]+\.[a-z]{2,}", parts.netloc)
        return "" if whole else "expected a whole https address"
    target = (ROOT / name).parent / parts.path if parts.path else ROOT / name
    if not target.exists():
        return "there is no such file"
    if parts.fragment and parts.fragment not in _anchors(str(target.relative_to(ROOT))):
        return "there is no such heading"
    return ""


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    links = [part.attrs["href"] for part in tokens(name) if part.type == "link_open"]
    links += [part.attrs["src"] for part in tokens(name) if part.type == "image"]
    assert {link: _trouble(name, str(link)) for link in links} == dict.fromkeys(links, "")


def test_a_bad_link_is_noticed() -> None:
    assert not _trouble("README.md", "docs/grading.md") and not _trouble("README.md", "#licence")
    assert not _trouble("docs/grading.md", "../README.md#two-commands")
    for bad in ("no.md", "#no-such", "http://x.org", "https://x", "docs/grading.md#no", "mailto:x"):
        assert _trouble("README.md", bad), bad


@pytest.mark.parametrize("name", TEXTS)
def test_pictures_are_told_in_words(name: str) -> None:
    pictures = [part.content for part in tokens(name) if part.type == "image"]
    assert all(len(words.split()) >= 4 for words in pictures), pictures
    raw = re.findall(r"<img\b[^>]*>", "\n".join(cells(name)))
    assert all(re.search(r'\balt="[^"]{10,}"', tag) for tag in raw), raw


def _formula_trouble(formula: str) -> str:
    bare = re.sub(r"\\[{}]", "", formula)
    if bare.count("{") != bare.count("}"):
        return "braces"
    if len(re.findall(r"\\left\b", bare)) != len(re.findall(r"\\right\b", bare)):
        return "left and right"
    if re.findall(r"\\begin{(\w+)}", bare) != re.findall(r"\\end{(\w+)}", bare)[::-1]:
        return "begin and end"
    if re.search(r"\n\s*\n", formula):
        return "a blank line"
    unknown = set(re.findall(r"\\(?:[A-Za-z]+|.)", formula)) - COMMANDS
    return f"not drawn everywhere: {sorted(unknown)}" if unknown else ""


@pytest.mark.parametrize("name", LABS)
def test_formulas_are_drawn_everywhere(name: str) -> None:
    for cell in cells(name):
        text = CODE.sub("`code`", cell)
        for match in MATHS.finditer(text):
            formula = match[1] or match[2]
            assert not _formula_trouble(formula), formula
        assert "$" not in MATHS.sub("", text).replace(r"\$", ""), f"a lone $ in: {cell[:200]}"


def test_a_bad_formula_is_noticed() -> None:
    good = r"\left(\frac{a}{b}\right)_{i} \begin{pmatrix} a\\ b\end{pmatrix}"
    assert not _formula_trouble(good)
    for bad in (r"\frac{a}{b", r"\left(a", r"\begin{pmatrix}a", "a\n\nb", r"\operatorname{x}"):
        assert _formula_trouble(bad), bad


@pytest.mark.parametrize("name", TEXTS)
def test_terms_are_the_same_everywhere(name: str) -> None:
    for variant, term in TERMS.items():
        found = re.findall(variant, prose(name))
        assert not found, f"{name} says {found}; the course says {term}"


def test_each_job_says_how_hard_it_is_and_how_long_it_takes() -> None:
    """In its heading, and in the table at the top of the lab, the same."""
    for name in LABS:
        heads = re.findall(
            r"^## (\d\.\d+) (.+)\n\*\*(?:Your job|In words)\*\* · (\S+) points? · (\S+) · "
            r"about (\d+) minutes",
            "\n\n".join(cells(name)),
            flags=re.M,
        )
        rows = re.findall(
            r"^\| (\d\.\d+) \| (.+?)(?: \(in words\))? \| (\S+) \| (\S+) \| (\d+) \|$",
            cells(name)[0],
            flags=re.M,
        )
        assert heads == rows and len(heads) >= 5, name
