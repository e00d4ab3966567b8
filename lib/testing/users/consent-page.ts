import { type EmulatorReply } from '../emulator-reply.js';
import { type RegisteredUser } from './emulated-user.js';

/** What the consent page shows. @internal */
export interface ConsentView {
  appName: string;
  scopes: readonly string[];
  users: readonly RegisteredUser[];
  current: RegisteredUser | undefined;
  /** Comes back with the decision. */
  ticket: string;
  /** Where the decision is sent. */
  action: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2329; --soft: #646a73; --line: #dee0e3; --page: #f5f6f7; --card: #fff; --accent: #245bdb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ebebeb; --soft: #a6a6a6; --line: #434343; --page: #141414; --card: #1f1f1f; --accent: #4c88ff; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 420px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 28px; }
h1 { font-size: 20px; line-height: 1.3; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 0 0 20px; color: var(--soft); }
fieldset { border: 0; margin: 0 0 20px; padding: 0; }
legend { padding: 0; margin-bottom: 8px; font-weight: 600; }
label { display: flex; gap: 10px; align-items: baseline; padding: 6px 0; overflow-wrap: anywhere; }
input[type='radio'], input[type='checkbox'] { accent-color: var(--accent); }
input[type='text'] { width: 100%; font: 20px/1.4 ui-monospace, monospace; padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px;
  background: transparent; color: inherit; text-transform: uppercase; }
.actions { display: flex; gap: 12px; }
button { flex: 1; font: inherit; padding: 9px 16px; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit; cursor: pointer; }
button.primary { background: #245bdb; border-color: #245bdb; color: #fff; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.note { margin: 20px 0 0; font-size: 13px; }
`;

const NOTE =
  '<p class="note">This is an emulator. It asks for no password, and nothing leaves this machine.</p>';

/** Which app asks, for what, and as whom the user answers. @internal */
export function consentPage({ appName, scopes, users, current, ticket, action }: ConsentView): EmulatorReply {
  const asWhom = users
    .map(
      ({ openId, name }) =>
        `<label><input type="radio" name="open_id" value="${escaped(openId)}"${openId === current?.openId ? ' checked' : ''}>
        <span>${escaped(name)}</span></label>`,
    )
    .join('\n');
  const ticks = scopes
    .map(
      (scope) =>
        `<label><input type="checkbox" name="scope" value="${escaped(scope)}" checked> <span>${escaped(scope)}</span></label>`,
    )
    .join('\n');
  return page(
    `${appName} asks for access`,
    `<h1>${escaped(appName)}</h1>
    <p>asks for access to your account</p>
    <form method="post" action="${escaped(action)}">
      <input type="hidden" name="ticket" value="${escaped(ticket)}">
      <fieldset><legend>You are</legend>${asWhom}</fieldset>
      ${scopes.length > 0 ? `<fieldset><legend>It may use</legend>${ticks}</fieldset>` : ''}
      <div class="actions">
        <button name="decision" value="deny">Deny</button>
        <button class="primary" name="decision" value="approve">Approve</button>
      </div>
    </form>`,
  );
}

/** Where the code of a machine is typed in. @internal */
export function userCodePage(action: string, problem = ''): EmulatorReply {
  return page(
    'Connect a device',
    `<h1>Connect a device</h1>
    <p>${problem === '' ? 'Type in the code that the device shows.' : escaped(problem)}</p>
    <form method="get" action="${escaped(action)}">
      <fieldset><label for="code">Code</label><input id="code" type="text" name="user_code" autocomplete="off" required></fieldset>
      <div class="actions"><button class="primary">Continue</button></div>
    </form>`,
  );
}

/** @internal */
export function messagePage(title: string, message: string, { status = 200, code = 0 } = {}): EmulatorReply {
  const reply = page(title, `<h1>${escaped(title)}</h1><p>${escaped(message)}</p>`);
  return { ...reply, status, code };
}

function page(title: string, content: string): EmulatorReply {
  return {
    status: 200,
    code: 0,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    },
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main>${content}${NOTE}</main></body>
</html>
`,
  };
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
