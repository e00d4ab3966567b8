import { html, SafeHtml } from './escape-html.js';

const WIDTH = 600;
const HEIGHT = 120;
const MINUTES = 60;

/** One measure over the last hour. */
export interface Plot {
  readonly title: string;
  /** What the latest value says, as text: the plot is not the only way to read it. */
  readonly latest: string;
  /** The oldest first; `undefined` where a minute has no data. */
  readonly values: readonly (number | undefined)[];
  /** The top of the scale; the highest value when it is absent. */
  readonly max?: number;
  readonly maxText: string;
}

/** A line without a library: the page makes no request to anywhere else. */
export function historyPlot({ title, latest, values, max, maxText }: Plot): SafeHtml {
  const top = max ?? Math.max(1e-9, ...values.map((value) => value ?? 0));
  const points = values.slice(-MINUTES).map((value, index, shown) => {
    const x = ((MINUTES - shown.length + index) / (MINUTES - 1)) * WIDTH;
    return value === undefined
      ? undefined
      : ([Math.round(x * 10) / 10, Math.round((1 - value / top) * (HEIGHT - 8) + 4)] as const);
  });
  return html` <figure class="plot">
    <figcaption>${title} <b class="right">${latest}</b></figcaption>
    <svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${title} over the last hour. Now: ${latest}."
    >
      <line class="axis" x1="0" y1="${HEIGHT - 4}" x2="${WIDTH}" y2="${HEIGHT - 4}"></line>
      <path class="line" d="${new SafeHtml(pathOf(points))}"></path>
    </svg>
    <p class="muted small">top: ${maxText} <span class="right">60 min ago to now</span></p>
  </figure>`;
}

/** Gaps stay gaps. A single point becomes a short line, or it would not show. */
function pathOf(points: readonly (readonly [x: number, y: number] | undefined)[]): string {
  let path = '';
  let isOpen = false;
  for (const point of points) {
    if (point !== undefined) path += `${isOpen ? 'L' : 'M'}${point[0]} ${point[1]}${isOpen ? '' : 'h1'}`;
    isOpen = point !== undefined;
  }
  return path;
}
