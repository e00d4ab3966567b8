/**
 * The page's script. The server renders everything; the script asks for the page again when the stream says that there
 * is news, and replaces the sections that changed. Without a stream, as behind a proxy that buffers, it polls.
 */
export const STATUS_PAGE_SCRIPT = `
'use strict';
(() => {
  const POLL_MS = 5000;
  const SILENCE_MS = 12000;
  const base = location.pathname.replace(/\\/+$/, '');
  const live = document.getElementById('live');
  let isLoading = false;
  let heardAt = 0;

  const say = (text) => { if (live.textContent !== text) live.textContent = text; };

  const apply = (text) => {
    const next = new DOMParser().parseFromString(text, 'text/html');
    const present = [...document.querySelectorAll('main [data-part]')];
    const parts = [...next.querySelectorAll('main [data-part]')];
    const isSameShape = present.length === parts.length && present.every((it, i) => it.dataset.part === parts[i].dataset.part);
    if (!isSameShape) document.querySelector('main').replaceWith(next.querySelector('main'));
    else present.forEach((it, i) => { if (it.innerHTML !== parts[i].innerHTML) it.replaceWith(parts[i]); });
    document.title = next.title;
  };

  const load = async (mode) => {
    if (isLoading || document.hidden) return;
    isLoading = true;
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store', credentials: 'same-origin' });
      if (!response.ok) throw new Error(String(response.status));
      apply(await response.text());
      say(mode);
    } catch {
      say('Connection lost. Trying again.');
    } finally {
      isLoading = false;
    }
  };

  const stream = new EventSource(base + '/events');
  stream.addEventListener('snapshot', () => { heardAt = Date.now(); void load('Live'); });
  stream.addEventListener('heartbeat', () => { heardAt = Date.now(); });
  setInterval(() => { if (Date.now() - heardAt > SILENCE_MS) void load('Updated every 5 s'); }, POLL_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void load('Live'); });
  addEventListener('pagehide', () => stream.close());
})();
`;
