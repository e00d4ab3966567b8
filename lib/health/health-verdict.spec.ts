import { type FeishuAuthErrorCode } from '../errors/feishu-auth.error.js';
import { type SlotState } from '../tokens/slot/slot-state.js';
import { type HealthFacts, type HealthVerdict, healthVerdict } from './health-verdict.js';

const MINUTE = 60_000;

interface SlotSketch {
  kind?: 'app' | 'tenant';
  tenantKey?: string;
  /** Minutes left of the token held; none is held without it. */
  left?: number;
  /** Minutes the token had at first. */
  life?: number;
  failures?: number;
  code?: FeishuAuthErrorCode;
}

function slot({ kind = 'tenant', tenantKey, left, life = 120, failures = 0, code }: SlotSketch): SlotState {
  return {
    kind,
    tenantKey,
    usable: left !== undefined,
    expiresInMs: left === undefined ? undefined : left * MINUTE,
    lifeMs: left === undefined ? undefined : life * MINUTE,
    consecutiveFailures: failures,
    lastError:
      failures > 0 || code ? { code: code ?? 'ERR_FEISHU_PLATFORM_UNAVAILABLE', atWallMs: 0 } : undefined,
  };
}

interface Row {
  when: string;
  slots?: SlotSketch[];
  facts?: Partial<HealthFacts>;
  expected: HealthVerdict['status'];
  reason?: RegExp;
}

function verdictOf(appType: HealthFacts['appType'], { slots = [], facts }: Row): HealthVerdict {
  return healthVerdict({ appType, slots: slots.map(slot), hasTicket: true, breaker: 'closed', ...facts });
}

const CREDENTIALS = 'ERR_FEISHU_CREDENTIALS_REJECTED';

const selfBuilt: Row[] = [
  { when: 'nothing was asked for yet', expected: 'up' },
  { when: 'the first flight is under way', slots: [{}], expected: 'up' },
  { when: 'a token is held', slots: [{ left: 100 }], expected: 'up' },
  { when: 'a token nears its end and nothing has failed', slots: [{ left: 1 }], expected: 'up' },
  { when: 'renewal fails with ten minutes left', slots: [{ left: 10, failures: 9 }], expected: 'up' },
  {
    when: 'renewal fails with less than ten minutes left',
    slots: [{ left: 9.99, failures: 9 }],
    expected: 'degraded',
    reason: /^a valid tenant token is held but .*near \(ERR_FEISHU_PLATFORM_UNAVAILABLE\)$/,
  },
  {
    when: 'a short life, 25 % of it left',
    slots: [{ left: 5, life: 20, failures: 1 }],
    expected: 'up',
  },
  {
    when: 'a short life, less than 25 % of it left',
    slots: [{ left: 4.9, life: 20, failures: 1 }],
    expected: 'degraded',
  },
  {
    when: 'credentials are rejected early in the life of a token',
    slots: [{ left: 100, failures: 1, code: CREDENTIALS }],
    expected: 'degraded',
    reason: /rejects the app's credentials/,
  },
  {
    when: 'credentials were rejected once and are accepted again',
    slots: [{ left: 100, failures: 0, code: CREDENTIALS }],
    expected: 'up',
  },
  {
    when: 'no token, and the last flight failed',
    slots: [{ failures: 1 }],
    expected: 'down',
    reason: /^no valid tenant token and the last renewal failed \(ERR_FEISHU_PLATFORM_UNAVAILABLE\)$/,
  },
  {
    when: 'one kind in use is lost and the other is well',
    slots: [
      { kind: 'tenant', left: 100 },
      { kind: 'app', failures: 1 },
    ],
    expected: 'down',
    reason: /^no valid app token/,
  },
  { when: 'the breaker is open', facts: { breaker: 'open' }, expected: 'degraded', reason: /token store/ },
  {
    when: 'the breaker tries again',
    facts: { breaker: 'half-open' },
    expected: 'degraded',
    reason: /half-open/,
  },
  {
    when: 'everything is wrong at once, the worst is told first',
    slots: [
      { kind: 'app', left: 1, failures: 3 },
      { kind: 'tenant', failures: 3 },
    ],
    facts: { breaker: 'open' },
    expected: 'down',
    reason: /^no valid tenant token .*; a valid app token is held .*; the token store/,
  },
  {
    when: 'there is no ticket, for it needs none',
    slots: [{ left: 100, failures: 1 }],
    facts: { hasTicket: false },
    expected: 'up',
  },
];

const app = { kind: 'app', left: 100 } as const;

const store: Row[] = [
  { when: 'nothing was asked for yet, not even a ticket', facts: { hasTicket: false }, expected: 'up' },
  { when: 'the app and a tenant are well', slots: [app, { tenantKey: 't1', left: 100 }], expected: 'up' },
  {
    when: 'the app token is lost for want of a ticket',
    slots: [{ kind: 'app', failures: 1, code: 'ERR_FEISHU_APP_TICKET_MISSING' }],
    facts: { hasTicket: false },
    expected: 'down',
    reason: /no valid app token .*APP_TICKET_MISSING/,
  },
  {
    when: 'the app token cannot be renewed for want of a ticket, long before its end',
    slots: [{ ...app, left: 25, failures: 1, code: 'ERR_FEISHU_APP_TICKET_MISSING' }],
    facts: { hasTicket: false },
    expected: 'degraded',
    reason: /cannot be renewed without an app_ticket/,
  },
  {
    when: 'no renewal has needed the ticket that another process holds',
    slots: [app],
    facts: { hasTicket: false },
    expected: 'up',
  },
  {
    when: 'a tenant has no token and its last flight failed',
    slots: [app, { tenantKey: 't1', failures: 1 }],
    expected: 'degraded',
    reason: /^tenants without a valid token whose last renewal failed: 1$/,
  },
  {
    when: 'a tenant has uninstalled the app, or never was one',
    slots: [app, { tenantKey: 't1', failures: 1, code: 'ERR_FEISHU_TENANT_REJECTED' }],
    expected: 'up',
  },
  {
    when: 'every tenant fails',
    slots: [app, { tenantKey: 't1', failures: 1 }, { tenantKey: 't2', failures: 1 }],
    expected: 'degraded',
    reason: /failed: 2$/,
  },
  {
    when: "a tenant's renewal fails early",
    slots: [app, { tenantKey: 't1', left: 20, failures: 1 }],
    expected: 'up',
  },
  {
    when: "a tenant's renewal fails late",
    slots: [app, { tenantKey: 't1', left: 5, failures: 1 }],
    expected: 'degraded',
    reason: /end is near: 1$/,
  },
  {
    when: 'the app is lost, and its tenants with it',
    slots: [
      { kind: 'app', failures: 1 },
      { tenantKey: 't1', failures: 1 },
    ],
    expected: 'down',
    reason: /^no valid app token .*; tenants without/,
  },
];

describe('healthVerdict', () => {
  describe.each([
    ['self-built', selfBuilt],
    ['store', store],
  ] as const)('of a %s app', (appType, rows) => {
    it.each(rows)('is $expected when $when', (row) => {
      const { status, reason } = verdictOf(appType, row);
      expect(status).toBe(row.expected);
      expect(reason ?? '').toMatch(row.reason ?? (row.expected === 'up' ? /^$/ : /./));
    });
  });

  it('names no tenant', () => {
    const slots = [{ tenantKey: 'tenant-of-somebody', failures: 1 }];
    expect(JSON.stringify(verdictOf('store', { when: '', slots, expected: 'degraded' }))).not.toContain(
      'somebody',
    );
  });
});
