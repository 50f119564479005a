// The page's style: its colours by day and by night, charts beside each other where there is room, tables as cards where there is little.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f7f8fa; --card: #ffffff; --text: #1a1f29; --soft: #5a6372; --line: #e2e5ea;
  --ahead: #12713f; --behind: #a3470a; --warn: #fff4dc; --warn-text: #664400;
  --c0: #2467d6; --c1: #c2540a; --c2: #7d46bd; --c3: #5d6675; --c4: #b02a6b; --c5: #13805a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151b; --card: #1b1f27; --text: #e7eaf0; --soft: #a0a8b6; --line: #323844;
    --ahead: #5ecb93; --behind: #f0a266; --warn: #3a2e12; --warn-text: #f3d38a;
    --c0: #70a8ff; --c1: #f2965a; --c2: #c39df2; --c3: #aab3c2; --c4: #f085b5; --c5: #52c796;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 22px 0 8px; }
p { margin: 0 0 8px; }
.soft, .unit, small { color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 16px 0; }
a { color: var(--c0); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin: 16px 0; }
.floors { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin: 16px 0; padding: 0; list-style: none; }
.floors li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.floors b { display: block; font-size: 20px; font-weight: 600; }
.notes { background: var(--warn); color: var(--warn-text); border-radius: 8px; padding: 10px 14px 10px 30px; margin: 12px 0; }
.scroll { overflow-x: auto; }
summary { cursor: pointer; margin: 10px 0; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; margin: 6px 0 10px; }
th, td { border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th { color: var(--soft); font-weight: 500; vertical-align: bottom; }
th, td { padding: 5px 8px; }
td { white-space: nowrap; }
.number { text-align: right; }
.ahead { color: var(--ahead); }
.behind { color: var(--behind); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 18px; }
.chart { margin: 0; min-width: 0; display: flex; flex-direction: column; }
.chart > svg { margin-top: auto; }
figcaption { font-weight: 600; font-size: 14px; }
figcaption .unit { font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); }
.mark { stroke: var(--soft); }
g path, .legend path { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
circle { fill: currentColor; }
.before path { stroke-dasharray: 4 3; opacity: .75; }
.before circle { opacity: .5; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 2px 0 4px; padding: 0; list-style: none; font-size: 13px; }
.legend svg { display: inline-block; width: 18px; height: 8px; margin-right: 6px; vertical-align: middle; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); }
.c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.legend li { color: var(--text); }
.legend .c0 svg { color: var(--c0); } .legend .c1 svg { color: var(--c1); } .legend .c2 svg { color: var(--c2); }
.legend .c3 svg { color: var(--c3); } .legend .c4 svg { color: var(--c4); } .legend .c5 svg { color: var(--c5); }
@media (max-width: 700px) {
  main { padding: 16px 12px 32px; }
  section { padding: 14px 12px; }
  .floors { grid-template-columns: 1fr 1fr; gap: 8px; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 18px; padding: 8px 0; border-bottom: 1px solid var(--line); }
  td { display: flex; justify-content: flex-end; gap: 8px; border: 0; padding: 2px 0; white-space: normal; text-align: right; }
  td::before { content: attr(data-name); color: var(--soft); text-align: left; margin-right: auto; }
  td.text { grid-column: 1 / -1; justify-content: start; text-align: left; font-weight: 600; }
  td.text::before { font-weight: 400; margin-right: 0; }
  td:empty { display: none; }
  td:has(small) { grid-column: 1 / -1; }
}
`;
