"""The one style sheet of an exported page: light and dark, from a phone's width up, and on paper."""

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1e23;--dim:#59606c;--line:#d5d9df;--soft:#f3f5f8;
--link:#0a58b5;--mark:#b45309;--question:#c62f2f;--entity:#b7791f;--passage:#1f6fd1;--section:#178a63;
--document:#6b7280}
@media(prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e4e7ec;--dim:#a3abb8;--line:#353b45;--soft:#1d2128;
--link:#7db4ff;--mark:#f0a54a;--question:#ff7b7b;--entity:#e0b04b;--passage:#6aa9ff;--section:#46c79a;
--document:#9aa3b0}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;max-width:66rem;margin:0 auto;
padding:1.2rem 1rem 4rem;background:var(--bg);color:var(--fg);overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.picture:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
h1{font-size:1.55rem;line-height:1.3;margin:.4rem 0}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h2,details,[id]{scroll-margin-top:3.4rem}
nav{position:sticky;top:0;z-index:1;background:var(--bg);border-bottom:1px solid var(--line);padding:.45rem 0;
display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.95rem}
.facts{color:var(--dim);font-size:.88rem;margin:.2rem 0}
.answer,blockquote,.output{white-space:pre-wrap}
.answer{font-size:1.12rem;border-left:4px solid var(--link);padding:.1rem 0 .1rem .9rem}
.flags,.note{color:var(--dim);font-size:.9rem}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.45rem .8rem}
summary{cursor:pointer}
summary .where{font-weight:600}
blockquote{margin:.5rem 0 .2rem;padding:.5rem .8rem;background:var(--soft);border-radius:.4rem}
details:has(:target),:target{outline:3px solid var(--mark);outline-offset:1px}
.back{font-size:.85rem}
.trail{color:var(--dim);font-size:.88rem;margin:.4rem 0 .2rem}
table{border-collapse:collapse;width:100%;font-size:.94rem}
th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}
th{color:var(--dim);font-weight:600;font-size:.85rem}
.events td:nth-child(2){white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
meter{width:4.5rem;height:.8rem;vertical-align:middle}
.picture{overflow:auto;max-height:80vh;background:var(--soft);border-radius:.5rem;padding:.3rem}
.picture svg{display:block}
svg text{font:12px system-ui,sans-serif;fill:var(--fg);paint-order:stroke;stroke:var(--soft);stroke-width:4px;
stroke-linejoin:round}
svg a text{font-weight:700;fill:var(--link)}
svg .axis{fill:var(--dim)}
.edge{fill:none;stroke:var(--line);stroke-width:1.5}
.edge.trail{stroke:var(--mark);stroke-width:2.5}
.edge.other{stroke:var(--dim);stroke-width:1;stroke-dasharray:3 4;opacity:.55}
.span{fill:none;stroke:var(--line);stroke-width:6;stroke-linecap:round}
.ticks{fill:none;stroke:var(--passage);stroke-width:1.2}
.question{fill:var(--question)}.entity{fill:var(--entity)}.passage{fill:var(--passage)}
.section{fill:var(--section)}.document{fill:var(--document)}
.cited{stroke:var(--mark);stroke-width:3}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.88rem;color:var(--dim);margin:.3rem 0;padding:0}
.legend .cited{fill:none}
.legend svg{width:.8rem;height:.8rem;vertical-align:-.05rem}
@media(max-width:42rem){
body{padding:.8rem .8rem 3rem}
thead{position:absolute;left:-200rem}
tr{display:block;border-bottom:1px solid var(--line);padding:.4rem 0}
td{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.12rem 0;text-align:right}
td::before{content:attr(data-label);color:var(--dim);text-align:left}
td:first-child{font-weight:600}td:first-child::before{content:none}
.events td{display:inline;text-align:left}.events td::before{content:none}
}
@media print{nav,.back{display:none}.picture{max-height:none;overflow:visible}details{break-inside:avoid}}
"""
