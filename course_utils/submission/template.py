"""How a handed-in notebook looks on paper, in Typst's own words."""

TEMPLATE = r"""
// How a handed-in notebook looks on paper. Everything is set to fit: long words and code lines can
// break at any letter (see `breakable`), and pictures and formulas shrink to the width there is.
#let ink = rgb("#14507d")
#let faint = luma(110)
#let mono = ("DejaVu Sans Mono", "DejaVu Sans", ..others)

#set document(title: title, author: if name == "" { () } else { (name,) })
#set page(
  paper: "a4",
  margin: (x: 1.8cm, top: 2.4cm, bottom: 1.8cm),
  header-ascent: 0.8cm,
  header: context {
    set text(8.5pt, fill: faint)
    grid(
      columns: (1fr, auto, 1fr), column-gutter: 1em,
      title, name,
      align(right)[page #counter(page).display() of #counter(page).final().first()],
    )
    v(-0.7em)
    line(length: 100%, stroke: 0.4pt + faint)
  },
)
#let serif = ("Libertinus Serif", "DejaVu Sans", ..others)
#set text(font: serif, 10.5pt, hyphenate: false, ligatures: false, lang: "en")
#set par(justify: false, leading: 0.62em)
#set table(stroke: 0.4pt + luma(160), inset: (x: 0.5em, y: 0.35em))
#set list(indent: 0.4em)
#set enum(indent: 0.4em)
#show figure: set block(breakable: true)
#show figure.where(kind: table): set text(9.5pt)
#show table.cell: set text(hyphenate: false)
#show raw: set text(font: mono, 8.8pt, ligatures: false)
#show raw.where(block: true): set text(7.9pt)
// A line of code that goes on below is set back, so that nobody takes it for a new one.
#show raw.where(block: true): it => {
  set par(hanging-indent: 2em, spacing: 0.52em, leading: 0.52em)
  for line in it.lines { par(if line.text == "" { sym.zws } else { line.body }) }
}
#show link: set text(fill: ink)
#show heading.where(level: 1): set text(19pt)
#show heading.where(level: 2): set text(14.5pt)
#show heading.where(level: 3): set text(12pt)
#show heading: set block(above: 1.5em, below: 0.8em)

#let shrunk(it) = layout(room => {
  let natural = measure(it).width
  if natural > room.width { scale(room.width / natural * 100%, reflow: true, it) } else { it }
})
#show math.equation.where(block: true): shrunk
#show math.equation.where(block: false): it => if tight {
  context if measure(it).width > 15cm { box(shrunk(it)) } else { it }
} else { it }

#let horizontalrule = line(length: 100%, stroke: 0.5pt + luma(170))
#let pic(path, width, alt) = box(layout(room => image(
  path,
  width: if width == none { calc.min(0.7 * room.width, 12cm) } else { calc.min(width, room.width) },
  alt: if alt == "" { none } else { alt },
)))
#let tag(words, colour: faint) = text(7.5pt, fill: colour, weight: "bold", font: mono, words)

// A fenced block within Markdown.
#let program(words, language) = block(
  width: 100%, fill: luma(246), inset: 0.6em, radius: 2pt, breakable: true,
  raw(words, block: true, lang: language),
)

// A code cell; `colour` marks what the student wrote.
#let cell(label, words, colour) = block(
  width: 100%, above: 1.1em, below: 0.5em, breakable: true, fill: luma(246), radius: 2pt,
  inset: (left: 0.9em, right: 0.6em, y: 0.6em),
  stroke: (left: (if colour == none { 1pt + luma(200) } else { 3pt + colour })),
  {
    let shade = if colour == none { faint } else { colour }
    block(below: 0.7em, sticky: true, tag(label, colour: shade))
    raw(words, block: true, lang: "python")
  },
)

#let printed(words, error) = block(
  width: 100%, above: 0.7em, below: 1.1em, breakable: true, inset: (left: 0.9em, right: 0.6em),
  text(fill: if error { rgb("#8c1c13") } else { black }, raw(words, block: true)),
)

#let figured(path, width, alt, label) = block(
  width: 100%, above: 0.9em, below: 1.2em, breakable: false, inset: (left: 0.9em),
  { pic(path, width, alt); linebreak(); tag(label) },
)

#let remark(words) = block(inset: (left: 0.9em), text(9pt, style: "italic", fill: faint, words))

#let answer(label, body) = block(
  width: 100%, above: 1em, below: 1.2em, breakable: true, fill: rgb("#eef5fa"), radius: 2pt,
  inset: (left: 0.9em, right: 0.6em, y: 0.7em), stroke: (left: 3pt + ink),
  { block(below: 0.8em, sticky: true, tag(label, colour: ink)); body },
)

#let plain(words) = block(width: 100%, breakable: true, raw(words, block: true))
"""
