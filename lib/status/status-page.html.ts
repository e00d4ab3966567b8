import { html, SafeHtml } from './escape-html.js';
import { durationText } from './format.js';
import { instanceSections } from './instance-sections.js';
import { STATUS_PAGE_SCRIPT } from './status-page.script.js';
import { STATUS_PAGE_STYLES } from './status-page.styles.js';
import { type StatusSnapshot } from './status-snapshot.js';

/** The complete page. It needs no JavaScript, and makes no request to anywhere else. */
export function statusPageHtml(snapshot: StatusSnapshot, nonce: string, now: number): string {
  const { instances, process } = snapshot;
  const worst = ['down', 'degraded', 'up'].find((state) =>
    instances.some(({ health }) => health.status === state),
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${worst ?? 'no instance'} · Feishu tokens</title>
        <noscript><meta http-equiv="refresh" content="10" /></noscript>
        <style nonce="${nonce}">
          ${new SafeHtml(STATUS_PAGE_STYLES)}
        </style>
      </head>
      <body>
        <header class="page">
          <h1>Feishu tokens</h1>
          <span class="live" id="live" role="status" aria-live="polite">Rendered by the server</span>
        </header>
        <main>
          ${instances.map((instance, index) => instanceSections(instance, `i${index}`, now))}
          ${instances.length === 0 && html`<p>The application has no FeishuAuthModule instance.</p>`}
        </main>
        <footer class="page">
          This process only: ${process.hostname}, pid ${process.pid}, Node ${process.node}, nestjs-feishu-auth
          ${process.version}${instances[0] && html`, counting for ${durationText(now - Date.parse(instances[0].metrics.since))}`}.
        </footer>
        <script nonce="${nonce}">
          ${new SafeHtml(STATUS_PAGE_SCRIPT)};
        </script>
      </body>
    </html> `.text;
}

/** Nothing may be loaded from elsewhere, and only the page's own script and styles run. */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
