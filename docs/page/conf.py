"""Sphinx's settings for the course page; `grading.page` copies this folder beside the labs."""

from pathlib import Path

import jupyter_server_mathjax

project = "Generative models, in Jupyter"
author = copyright = "The course maintainers"
extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # from a server elsewhere, and no lab needs it
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_update_mathjax = False
# Formulas are drawn by files that lie beside the page, not by a server elsewhere.
html_static_path = ["page.css", str(Path(jupyter_server_mathjax.__file__).parent / "static")]
html_css_files = ["page.css"]
mathjax_path = "MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"
mathjax2_config = {
    "HTML-CSS": {"availableFonts": [], "preferredFont": None, "webFont": "STIX-Web"},
    "fast-preview": {"disabled": True},
}
html_theme = "alabaster"
html_theme_options = {
    "description": "A course of graded labs",
    "page_width": "1240px",
    "sidebar_width": "230px",
    "fixed_sidebar": True,
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_show_sourcelink = html_copy_source = html_show_copyright = False
pygments_style = "xcode"
