import { html, type SafeHtml } from './escape-html.js';
import { durationText, timeText } from './format.js';
import { type HeldTokenState } from '../telemetry/instance-telemetry.js';

const WIDTH = 1_000;
const HEIGHT = 34;
const BAR = { top: 10, height: 14 };

/** One token's life as a bar: fresh, renewal window, last minute, and where "now" is. */
export function tokenTimeline(token: HeldTokenState, now: number): SafeHtml {
  const start = Date.parse(token.obtainedAt);
  const end = Date.parse(token.expiresAt);
  const x = (time: number): number =>
    Math.round((Math.min(Math.max(time, start), end) - start) * (WIDTH / Math.max(1, end - start)));
  const refresh = x(Date.parse(token.refreshAt));
  const must = x(Date.parse(token.mustAt));
  const left = end - now;
  const renewal = Date.parse(token.refreshAt) - now;
  const renewalText = renewal > 0 ? `renewal in ${durationText(renewal)}` : 'renewal is due';
  const label = `${token.kind} token: ends in ${durationText(left)}, ${renewalText}`;
  return html` <figure class="timeline">
    <figcaption>
      <strong>${token.kind}</strong
      >${token.holder === 'other' && html` <span class="muted">of a tenant or user</span>`}
      <span class="right"
        >ends in <b>${durationText(left)}</b> <span class="muted">(${timeText(token.expiresAt)})</span></span
      >
    </figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">
      <rect class="fresh" x="0" y="${BAR.top}" width="${refresh}" height="${BAR.height}"></rect>
      <rect
        class="ahead"
        x="${refresh}"
        y="${BAR.top}"
        width="${must - refresh}"
        height="${BAR.height}"
      ></rect>
      <rect class="must" x="${must}" y="${BAR.top}" width="${WIDTH - must}" height="${BAR.height}"></rect>
      <rect class="now" x="${Math.min(x(now), WIDTH - 4)}" y="2" width="4" height="30"></rect>
    </svg>
    <p class="muted small">
      ${renewalText}${token.consecutiveFailures > 0 && html`, <b class="bad">failed ${token.consecutiveFailures} times</b>`}
    </p>
  </figure>`;
}
