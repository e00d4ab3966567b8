/** Written into a plot in daylight, and what each becomes where the reader's screen is dark. */
export const INK = { light: '#24292f', dark: '#e6edf3' } as const;
export const FAINT = { light: '#d1d9e0', dark: '#3d444d' } as const;
export const PAPER = { light: '#fffffe', dark: '#0d1117' } as const;

/** Told apart by light as well as by hue, and readable on both papers. */
export const PALETTE = ['#0969da', '#bf5600', '#1a7f64', '#a040a0', '#7d6b00', '#6e7781'] as const;
export const OURS = PALETTE[0];
export const THEIRS = PALETTE[5];

/** What every plot has in common. */
export const CONFIG = {
  background: PAPER.light,
  font: 'system-ui, -apple-system, "Segoe UI", sans-serif',
  padding: 16,
  view: { stroke: 'transparent' },
  axis: {
    labelColor: INK.light,
    titleColor: INK.light,
    gridColor: FAINT.light,
    domainColor: FAINT.light,
    tickColor: FAINT.light,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 400,
  },
  legend: {
    labelColor: INK.light,
    titleColor: INK.light,
    labelFontSize: 12,
    orient: 'bottom',
    title: null,
    labelLimit: 400,
    columns: 3,
  },
  header: { labelColor: INK.light, labelFontSize: 12 },
  title: { color: INK.light, fontSize: 14, anchor: 'start', offset: 12 },
  text: { color: INK.light, fontSize: 12 },
  range: { category: [...PALETTE] },
} as const;

/** Teaches a plot the dark: a picture cannot ask the page, but it can ask the reader's system. */
export function withDarkMode(svg: string): string {
  const rules = [INK, FAINT, PAPER].map(
    ({ light, dark }) => `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`,
  );
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
  const end = svg.indexOf('>', svg.indexOf('<svg')) + 1;
  return svg.slice(0, end) + style + svg.slice(end);
}
