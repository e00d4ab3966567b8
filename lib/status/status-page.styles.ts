/** The whole style sheet: system fonts, two themes, one column below 700 px. */
export const STATUS_PAGE_STYLES = `
:root { color-scheme: light dark; --bg: #f6f7f9; --card: #fff; --text: #1a1f27; --muted: #596273; --line: #dfe3e9;
  --good: #187a4b; --warn: #8a5a00; --bad: #b3261e; --fresh: #58b98a; --ahead: #e0b13c; --must: #d4574e; --accent: #2b62d9; }
@media (prefers-color-scheme: dark) { :root { --bg: #12151a; --card: #1a1f27; --text: #e7eaf0; --muted: #9aa4b5; --line: #2c3440;
  --good: #5fd39b; --warn: #eec15a; --bad: #ff8a80; --fresh: #2f8f63; --ahead: #b98a1e; --must: #b5473f; --accent: #86aaff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, header.page, footer.page { max-width: 1060px; margin: 0 auto; padding: 0 20px; }
header.page { display: flex; gap: 12px; align-items: baseline; flex-wrap: wrap; padding-top: 28px; }
h1 { font-size: 20px; margin: 0; font-weight: 650; }
h2 { font-size: 22px; margin: 36px 0 12px; font-weight: 650; overflow-wrap: anywhere; }
h3 { font-size: 13px; margin: 0 0 12px; font-weight: 600; color: var(--muted); letter-spacing: .04em; text-transform: uppercase; }
.live { margin-left: auto; font-size: 14px; color: var(--muted); }
.verdict { display: flex; gap: 14px; align-items: flex-start; padding: 18px 20px; border-radius: 12px; background: var(--card);
  border: 1px solid var(--line); border-left: 6px solid var(--good); }
.verdict.degraded { border-left-color: var(--warn); } .verdict.down { border-left-color: var(--bad); }
.verdict b { font-size: 19px; } .verdict p { margin: 2px 0 0; overflow-wrap: anywhere; }
.up b.state { color: var(--good); } .degraded b.state { color: var(--warn); } .down b.state { color: var(--bad); }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr)); gap: 16px; margin-top: 16px; }
section.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; margin-top: 16px; min-width: 0; }
.grid section.card { margin-top: 0; }
figure { margin: 0 0 16px; } figure:last-child { margin-bottom: 0; }
figcaption { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
.right { margin-left: auto; }
svg { display: block; width: 100%; height: 34px; } .plot svg { height: 90px; }
.fresh { fill: var(--fresh); } .ahead { fill: var(--ahead); } .must { fill: var(--must); } .now { fill: var(--text); }
.axis { stroke: var(--line); } .line { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
.muted { color: var(--muted); } .small { font-size: 13.5px; margin: 2px 0 0; display: flex; gap: 8px; flex-wrap: wrap; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
dl { display: grid; grid-template-columns: 1fr auto; gap: 5px 16px; margin: 0; }
dt { color: var(--muted); } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 14.5px; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { font-weight: 600; color: var(--muted); } tr:last-child td { border-bottom: 0; }
td.num { font-variant-numeric: tabular-nums; } .key { display: flex; gap: 16px; flex-wrap: wrap; margin: 12px 0 0; font-size: 13.5px; color: var(--muted); }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
.key .f { background: var(--fresh); } .key .a { background: var(--ahead); } .key .m { background: var(--must); }
a { color: var(--accent); } :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
footer.page { padding-top: 28px; padding-bottom: 36px; font-size: 13.5px; color: var(--muted); overflow-wrap: anywhere; }
@media (max-width: 700px) { main, header.page, footer.page { padding-left: 14px; padding-right: 14px; } .live { margin-left: 0; width: 100%; }
  .grid { grid-template-columns: 1fr; } }
@media (prefers-reduced-motion: no-preference) { .verdict { transition: border-color .3s; } }
`;
