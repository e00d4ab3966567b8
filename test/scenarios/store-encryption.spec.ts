import { TestClock } from '../../lib/testing/test-clock.js';
import { answering, STORE_FORMS } from '../fixtures/fake-store.js';
import { fleetOn, recordIn, recordOf, RENEWAL_DUE_MS, tenantKeyIn } from '../fixtures/store-fleet.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

const TENANT = { kind: 'tenant' } as const;

const KEY_1 = { id: '2025', key: Buffer.alloc(32, 1).toString('base64') };
const KEY_2 = { id: '2026', key: new Uint8Array(32).fill(2) };

describe.each(STORE_FORMS)('%s', (_, form) => {
  expectNoUnhandledRejections();

  it('#47 encryption: the store has no token and no ticket in clear text', async () => {
    const { store, process } = fleetOn(form, { appType: 'store', encryptionKeys: [KEY_1] });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    const tenantKey = 'tenant-a';
    const token = await a.settle(a.tokens.getTenantAccessToken({ tenantKey }));
    const appToken = await a.settle(a.tokens.getAppAccessToken());
    await TestClock.settle();
    expect(store.size).toBe(3);
    for (const secret of [token, appToken, 'ticket-1', 'the-secret-of-the-app']) {
      expect(store.dump()).not.toContain(secret);
      expect(store.dump()).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
    }
    const b = process();
    expect(await b.settle(b.tokens.getTenantAccessToken({ tenantKey }))).toBe(token);
    expect(b.tokens.metrics().kinds.tenant).toMatchObject({ storeHits: 1, misses: 0 });
    expect(await b.engine.tickets.current()).toBe('ticket-1');
    await a.close();
    await b.close();
  });

  it('#47 encryption: after a key rotation, the first key writes and all keys read', async () => {
    const { store, platform, clock, process } = fleetOn(form, { encryptionKeys: [KEY_1] });
    const a = process();
    const token = await a.settle(a.tokens.getTenantAccessToken());
    await TestClock.settle();
    expect(store.dump()).toContain('2025');

    const b = process({ encryptionKeys: [KEY_2, KEY_1] });
    expect(await b.settle(b.tokens.getTenantAccessToken())).toBe(token);
    await clock.advance(RENEWAL_DUE_MS);
    const next = (await b.settle(b.tokens.refresh(TENANT))).value;
    await TestClock.settle();
    expect(store.dump()).toContain('2026');
    // A process with the new key reads it; a process with only the old key asks Feishu.
    const c = process({ encryptionKeys: [KEY_2] });
    expect(await c.settle(c.tokens.getToken(TENANT))).toMatchObject({ value: next, source: 'store' });
    const d = process({ encryptionKeys: [KEY_1] });
    expect(await d.settle(d.tokens.getToken(TENANT))).toMatchObject({ source: 'platform' });
    expect(platform.tokenCalls).toBe(3);
    for (const world of [a, b, c, d]) await world.close();
  });

  it("#47 encryption: a record copied to another tenant's key does not open, also with its key field changed", async () => {
    const { store, process } = fleetOn(form, { appType: 'store', encryptionKeys: [KEY_1] });
    const a = process();
    await a.engine.tickets.set('ticket-1');
    const mine = await a.settle(a.tokens.getTenantAccessToken({ tenantKey: 'mine' }));
    await TestClock.settle();
    const ofMine = store.keys.find((key) => key.endsWith(':mine}')) ?? '';
    const b = process();
    store.onGet = (key) => {
      if (!key.endsWith(':yours}')) return recordIn(store, key);
      return { ...recordOf(recordIn(store, ofMine)), key };
    };
    const yours = await b.settle(b.tokens.getTenantAccessToken({ tenantKey: 'yours' }));
    expect(yours).not.toBe(mine);
    expect(b.tokens.metrics().kinds.tenant.storeHits).toBe(0);
    await a.close();
    await b.close();
  });

  it('#47 encryption: an altered record, or one in clear text, is a miss', async () => {
    const { store, platform, clock, process } = fleetOn(form, { encryptionKeys: [KEY_1] });
    const a = process();
    await a.settle(a.tokens.getTenantAccessToken());
    await TestClock.settle();
    const record = recordOf(recordIn(store, tenantKeyIn(store)));
    const sealed = record['sealed'] as Record<string, string>;
    const flipped = (text = ''): string => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    const plaintext = { ...record, sealed: undefined, secret: 't-planted' };
    const mutated = [
      plaintext,
      { ...record, secret: 't-planted', sealed: { ...sealed, keyId: 'unknown' } },
      ...['data', 'iv', 'tag'].map((part) => ({
        ...record,
        sealed: { ...sealed, [part]: flipped(sealed[part]) },
      })),
      { ...record, sealed: { ...sealed, tag: sealed['tag']?.slice(0, 8) } },
      { ...record, sealed: { ...sealed, iv: '' } },
      { ...record, sealed: { ...sealed, data: '' } },
    ];
    for (const lie of mutated) {
      store.onGet = answering(lie);
      const world = process();
      const { value, source } = await world.settle(world.tokens.getToken(TENANT));
      expect({ lie, source }).toEqual({ lie, source: 'platform' });
      expect(value).not.toBe('t-planted');
      await world.close();
    }
    expect(platform.tokenCalls).toBe(1 + mutated.length);
    await a.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
