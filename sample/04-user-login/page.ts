import { type FeishuUser, type UserLoginStatus } from 'nestjs-feishu-auth';

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2329; --soft: #5f6670; --line: #dee0e3; --page: #f5f6f7; --card: #fff; --accent: #245bdb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ebebeb; --soft: #a9adb3; --line: #3d3f42; --page: #141517; --card: #1e1f22; --accent: #8db0ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 460px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 32px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
p { margin: 0 0 24px; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 8px 20px; margin: 0 0 24px; padding: 20px 0; border-block: 1px solid var(--line); font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: 12px; }
form { display: contents; }
a, button { flex: 1 1 150px; text-align: center; font: inherit; padding: 10px 18px; border-radius: 9px; border: 1px solid var(--line);
  background: transparent; color: inherit; text-decoration: none; cursor: pointer; }
.primary { background: #245bdb; border-color: #245bdb; color: #fff; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;

export function welcomePage(): string {
  return page(
    'Who are you?',
    `<p>This application has its own sessions. Feishu tells it who logs in.</p>
    <div class="actions"><a class="primary" href="/auth/feishu?returnTo=/">Log in with Feishu</a></div>`,
  );
}

export function userPage(user: FeishuUser, status: UserLoginStatus, nameAtFeishu: string): string {
  const facts = {
    'As you at Feishu': nameAtFeishu,
    'Open ID': user.openId,
    Tenant: user.tenantKey ?? 'unknown',
    Scopes: status.scopes.join(', ') || 'none',
    'Feishu login': status.state === 'active' ? 'active' : `${status.state} (${status.reason ?? 'unknown'})`,
    'Lasts until': status.refreshTokenExpiresAt?.toISOString().slice(0, 10) ?? 'it is over',
  };
  const rows = Object.entries(facts).map(([name, fact]) => `<dt>${name}</dt><dd>${escaped(fact)}</dd>`);
  return page(
    `Hello, ${user.name ?? user.openId}`,
    `<p>You have a session of this application, and the application has your Feishu login.</p>
    <dl>${rows.join('')}</dl>
    <div class="actions">
      <form method="post" action="/logout"><button class="primary">Log out</button></form>
      <form method="post" action="/disconnect"><button>Disconnect Feishu</button></form>
    </div>`,
  );
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>${content}</main></body>
</html>
`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
