import { FAINT, INK, PAPER, PALETTE, withDarkMode } from './theme.js';

/** WCAG relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe('the theme of the plots', () => {
  it.each(['light', 'dark'] as const)('can be read in %s', (mode) => {
    expect(contrast(INK[mode], PAPER[mode])).toBeGreaterThan(7);
    expect(contrast(FAINT[mode], PAPER[mode])).toBeGreaterThan(1.2);
    for (const colour of PALETTE) expect(contrast(colour, PAPER[mode])).toBeGreaterThan(3);
  });
});

describe('withDarkMode', () => {
  it('puts its rules inside the picture, which stays what it was', () => {
    const svg = '<?xml version="1.0"?>\n<svg width="1"><text fill="#24292f">a</text></svg>';
    const dark = withDarkMode(svg);
    expect(dark).toContain('<svg width="1"><style>@media (prefers-color-scheme:dark){');
    expect(dark).toContain('[fill="#24292f"]{fill:#e6edf3}');
    expect(dark.replace(/<style>.*<\/style>/, '')).toBe(svg);
  });
});
