import { type TokenKindMetrics } from '../metrics/token-metrics-snapshot.js';
import { html, type SafeHtml } from './escape-html.js';
import { countText, millisecondsText, percentText, timeText } from './format.js';
import { historyPlot } from './history-plot.js';
import { type StatusInstance, type StatusMinute } from './status-snapshot.js';
import { tokenTimeline } from './token-timeline.js';

const VERDICTS = { up: 'Healthy', degraded: 'Degraded', down: 'Down' } as const;

/** Everything about one instance, in the order in which an operator asks. */
export function instanceSections(instance: StatusInstance, id: string, now: number): SafeHtml {
  const part = (name: string): string => `${id}-${name}`;
  return html` <h2 id="${id}">${instance.metrics.instance}</h2>
    <div data-part="${part('verdict')}">${verdict(instance)}</div>
    <section class="card" data-part="${part('tokens')}" aria-label="Tokens">${tokens(instance, now)}</section>
    <section class="card" data-part="${part('failures')}" aria-label="Failures">
      ${failures(instance)}
    </section>
    <section class="card" data-part="${part('history')}" aria-label="The last hour">
      ${history(instance)}
    </section>
    <div class="grid">
      <section class="card" data-part="${part('requests')}" aria-label="Requests">
        ${requests(instance)}
      </section>
      <section class="card" data-part="${part('store')}" aria-label="Store and lock">
        ${storeAndLock(instance)}
      </section>
      <section class="card" data-part="${part('sweeps')}" aria-label="Sweeps, events and logins">
        ${sweepsAndEvents(instance)}
      </section>
    </div>`;
}

function verdict({ health }: StatusInstance): SafeHtml {
  const { status, reason } = health;
  return html`<div class="verdict ${status}">
    <div>
      <b class="state">${VERDICTS[status]}</b>
      <p class="muted">${reason ?? 'Renewals work, and every token that is needed is held.'}</p>
    </div>
  </div>`;
}

function tokens({ tokens: held }: StatusInstance, now: number): SafeHtml {
  if (held.length === 0)
    return html`<h3>Tokens</h3>
      <p class="muted">No token is held yet.</p>`;
  return html`<h3>Tokens</h3>
    ${held.map((token) => tokenTimeline(token, now))}
    <p class="key">
      <span><i class="f"></i>fresh</span><span><i class="a"></i>renewed ahead of time</span
      ><span><i class="m"></i>last minute</span>
    </p>`;
}

function failures({ failures: failed, metrics }: StatusInstance): SafeHtml {
  const codes = Object.values(metrics.kinds).flatMap((kind) => Object.entries(kind.refresh.failuresByCode));
  if (failed.length === 0) {
    const total = codes.reduce((sum, [, count]) => sum + count, 0);
    const text =
      total === 0 ? 'None since the start.' : `None that this page saw; ${countText(total)} since the start.`;
    return html`<h3>Failures</h3>
      <p class="muted">${text}</p>`;
  }
  return html`<h3>Failures</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of failures">
      <table>
        <thead>
          <tr>
            <th scope="col">At</th>
            <th scope="col">Kind</th>
            <th scope="col">Code</th>
            <th scope="col">Feishu code</th>
            <th scope="col">Log id</th>
            <th scope="col">Next attempt</th>
          </tr>
        </thead>
        <tbody>
          ${failed.map(
            ({ at, kind, code, feishuCode, logId, retryAt }) =>
              html`<tr>
                <td class="num">${timeText(at)}</td>
                <td>${kind}</td>
                <td>${code}</td>
                <td class="num">${feishuCode ?? '–'}</td>
                <td>${logId ?? '–'}</td>
                <td class="num">${retryAt === undefined ? '–' : timeText(retryAt)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function history({ history: minutes }: StatusInstance): SafeHtml {
  const plot = (
    title: string,
    text: (value: number) => string,
    valueOf: (minute: StatusMinute) => number | undefined,
    max?: number,
  ): SafeHtml => {
    const values = minutes.map(valueOf);
    const latest = values.findLast((value) => value !== undefined);
    const top = max ?? Math.max(0, ...values.map((value) => value ?? 0));
    return historyPlot({
      title,
      values,
      latest: latest === undefined ? 'no data' : text(latest),
      maxText: text(top),
      ...(max !== undefined && { max }),
    });
  };
  return html`<h3>The last hour</h3>
    <div class="grid">
      ${plot('Hit rate', percentText, ({ requests: count, hits }) => (count === 0 ? undefined : hits / count), 1)}
      ${plot('Mean wait of callers', millisecondsText, ({ waits, waitMs }) => (waits === 0 ? undefined : waitMs))}
      ${plot('Mean request to Feishu', millisecondsText, ({ refreshes, refreshMs }) => (refreshes === 0 ? undefined : refreshMs))}
    </div>`;
}

function requests({ metrics }: StatusInstance): SafeHtml {
  const asked = Object.entries(metrics.kinds).filter(([, kind]) => kind.requests + kind.refresh.attempts > 0);
  if (asked.length === 0)
    return html`<h3>Requests</h3>
      <p class="muted">No token was asked for yet.</p>`;
  return html`<h3>Requests</h3>
    ${asked.map(([name, kind]) => requestsOf(name, kind))}`;
}

function requestsOf(name: string, kind: TokenKindMetrics): SafeHtml {
  return html`<dl>
    <dt><strong>${name}</strong></dt>
    <dd>${countText(kind.requests)}</dd>
    <dt>hit rate</dt>
    <dd>${percentText(kind.hitRate)}</dd>
    <dt>waits</dt>
    <dd>
      ${countText(kind.waits)}${kind.waits > 0 && html` <span class="muted">p99 ${millisecondsText(kind.waitMs.p99)}</span>`}
    </dd>
    <dt>failed fast</dt>
    <dd>${countText(kind.failedFast)}</dd>
    <dt>requests to Feishu</dt>
    <dd>
      ${countText(kind.refresh.attempts)}${kind.refresh.failure > 0 && html` <span class="bad">${countText(kind.refresh.failure)} failed</span>`}
    </dd>
  </dl>`;
}

function storeAndLock({ metrics: { store, lock } }: StatusInstance): SafeHtml {
  const tone = store.breaker === 'closed' ? 'good' : 'bad';
  return html`<h3>Store and lock</h3>
    <dl>
      <dt>circuit breaker</dt>
      <dd><b class="${tone}">${store.breaker}</b></dd>
      <dt>reads, writes</dt>
      <dd>${countText(store.reads)}, ${countText(store.writes)}</dd>
      <dt>errors, timeouts</dt>
      <dd>${countText(store.errors)}, ${countText(store.timeouts)}</dd>
      <dt>lock acquired</dt>
      <dd>${countText(lock.acquired)}</dd>
      <dt>held by another process</dt>
      <dd>${countText(lock.contended)}</dd>
      <dt>went on without the lock</dt>
      <dd>${countText(lock.failedOpen)}</dd>
    </dl>`;
}

function sweepsAndEvents({ metrics: { prewarm, events, users } }: StatusInstance): SafeHtml {
  return html`<h3>Sweeps, events, logins</h3>
    <dl>
      <dt>last sweep</dt>
      <dd>${prewarm.lastSweepAt === undefined ? 'none yet' : timeText(prewarm.lastSweepAt)}</dd>
      <dt>renewed, failed, late</dt>
      <dd>${countText(prewarm.refreshed)}, ${countText(prewarm.failed)}, ${countText(prewarm.late)}</dd>
      ${
        events &&
        html`<dt>events accepted</dt>
          <dd>${countText(events.accepted)}</dd>
          <dt>events refused</dt>
          <dd>${countText(events.rejected)}</dd>
          <dt>handlers waiting, dropped</dt>
          <dd>${countText(events.handlers.pending)}, ${countText(events.handlers.dropped)}</dd>`
      }
      ${
        users &&
        html`<dt>logins uncommitted</dt>
          <dd class="${users.uncommitted > 0 ? 'bad' : ''}">${countText(users.uncommitted)}</dd>
          <dt>rotations</dt>
          <dd>${countText(users.rotations)}</dd>`
      }
    </dl>`;
}
