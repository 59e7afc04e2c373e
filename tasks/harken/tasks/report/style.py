"""The style of the page. Blue and orange are told apart with any colour vision, marked bars by their outline too."""

from typing import Final

STYLE: Final = """
:root {
  --paper: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #55616f; --line: #dde2e8;
  --bar: #2a6fb0; --minor: #12304f; --mark: #c4540a; --half: #16202c; --focus: #c4540a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151b; --card: #18202a; --ink: #e8edf2; --soft: #a3afbc; --line: #2c3743;
    --bar: #62a8e5; --minor: #cfe3f6; --mark: #f0913f; --half: #e8edf2; --focus: #f0913f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 3rem; max-width: 84rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, dl, dd { margin: 0; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.4rem); line-height: 1.15; letter-spacing: -0.02em; }
h1 { overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 1rem; letter-spacing: -0.01em; }
h3 { font-size: 1.05rem; }
.brand { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.5rem; }
.below { color: var(--soft); margin-top: 0.4rem; overflow-wrap: anywhere; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1px;
  margin-top: 1.75rem; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden;
}
.tiles div { background: var(--card); padding: 0.9rem 1.1rem; }
.tiles dt { color: var(--soft); font-size: 0.85rem; }
.tiles dd { font-size: 1.5rem; font-weight: 600; letter-spacing: -0.01em; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card { padding: 1.1rem 1.25rem; min-width: 0; }
.meaning, .note { color: var(--soft); font-size: 0.875rem; }
.meaning { margin-bottom: 0.75rem; }
.note { margin-top: 0.6rem; }
.card > svg { display: block; width: 100%; height: auto; overflow: visible; }
.bar { fill: var(--bar); }
.minor { fill: var(--minor); }
.marked { fill: var(--mark); stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 2; }
.bar:hover { opacity: 0.75; }
.scale { stroke: var(--line); }
.median { stroke: var(--half); stroke-width: 1.5; stroke-dasharray: 4 3; }
.half { fill: var(--half); }
svg text { fill: var(--soft); font-size: 12px; }
.tick, .axis { text-anchor: middle; }
.level { text-anchor: end; dominant-baseline: middle; }
.facts { display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; margin-top: 0.6rem; font-size: 0.875rem; }
.facts div { display: flex; gap: 0.4rem; }
.facts dt { color: var(--soft); }
.facts dd { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th, td { padding: 0.3rem 0.6rem 0.3rem 0; text-align: right; font-weight: 400; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); border-bottom: 1px solid var(--line); }
thead td { border-bottom: 1px solid var(--line); }
.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.drawn { width: 34%; }
.drawn svg { display: block; width: 100%; height: 0.55rem; }
details { margin-top: 0.75rem; font-size: 0.875rem; }
summary { color: var(--soft); cursor: pointer; }
summary:focus-visible, .scrolled:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.scrolled { max-height: 20rem; overflow: auto; margin-top: 0.5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
footer { color: var(--soft); font-size: 0.85rem; margin-top: 2.5rem; max-width: 60rem; }
@media print {
  body { background: none; padding: 0; }
  .card, .tiles { break-inside: avoid; }
  details { display: none; }
}
"""
