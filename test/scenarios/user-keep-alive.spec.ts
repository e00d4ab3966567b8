import { jest } from '@jest/globals';
import { examineHealth } from '../../lib/health/examine-health.js';
import { BuiltInEventHandlers } from '../../lib/events/built-in-event-handlers.js';
import { type FeishuEvent } from '../../lib/events/feishu-event.js';
import { createPrewarmer } from '../../lib/feishu-auth.services.js';
import { TestClock } from '../../lib/testing/test-clock.js';
import { FaultyUserStore } from '../fixtures/login-fleet.js';
import { ScriptedOAuth } from '../fixtures/scripted-oauth.js';
import { TokenWorld } from '../fixtures/token-world.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;

function newWorld(keepAlive: false | object = {}) {
  const clock = new TestClock();
  const feishu = new ScriptedOAuth(clock);
  const store = new FaultyUserStore();
  const world = new TokenWorld({ clock, fetch: feishu.fetch, prewarm: false, users: { store, keepAlive } });
  const { users } = world.engine;
  if (!users) throw new Error('no users');
  const prewarmer = createPrewarmer(world.engine, { warn: () => undefined });
  const logIn = (openId: string): Promise<void> =>
    users.logins.begin({ openId, scopes: [] }, feishu.authorize(openId));
  return { clock, feishu, store, world, users, prewarmer, logIn };
}

describe('keep-alive', () => {
  it('#70 keeps a login for a year, rotates it every six days, and leaves one that was logged out alone', async () => {
    const { clock, feishu, users, prewarmer, logIn } = newWorld();
    await logIn('ou_a');
    await logIn('ou_b');
    await users.logins.logout('ou_b');
    for (let hour = 0; hour < 364 * 24; hour += 6) {
      await clock.advance(6 * 3_600_000);
      await prewarmer.sweep();
    }
    expect(await users.logins.status('ou_a')).toMatchObject({ state: 'active' });
    expect(feishu.exchanges.length).toBeGreaterThan(55);
    expect(feishu.exchanges.length).toBeLessThan(65);
    expect(feishu.replays).toEqual([]);
    for (let day = 0; day < 7; day++) {
      await clock.advance(DAY_MS);
      await prewarmer.sweep();
    }
    expect(await users.logins.status('ou_a')).toMatchObject({
      state: 'reauthorization-required',
      reason: 'expired',
    });
  });

  it('renews a few at a time, and comes to all of them', async () => {
    const { clock, feishu, prewarmer, logIn } = newWorld();
    for (let i = 0; i < 60; i++) await logIn(`ou_${i}`);
    await clock.advance(6 * DAY_MS + 1_000);
    await prewarmer.sweep();
    expect(feishu.exchanges).toHaveLength(25);
    for (let sweep = 0; sweep < 2; sweep++) await prewarmer.sweep();
    expect(feishu.exchanges).toHaveLength(60);
    await prewarmer.sweep();
    expect(feishu.exchanges).toHaveLength(60);
  });

  it('does nothing unless it was asked for', async () => {
    const { clock, feishu, prewarmer, logIn } = newWorld(false);
    await logIn('ou_a');
    await clock.advance(6.5 * DAY_MS);
    await prewarmer.sweep();
    expect(feishu.exchanges).toHaveLength(0);
  });
});

describe('what operators see of logins', () => {
  it('a user who has to log in does not make the application unhealthy', async () => {
    const { world } = newWorld();
    await expect(world.tokens.getUserAccessToken('ou_a')).rejects.toMatchObject({ reason: 'absent' });
    expect(examineHealth(world.engine.health)).toMatchObject({ status: 'up', users: { uncommitted: 0 } });
    expect(world.tokens.metrics().users).toMatchObject({ rotations: 0, reauthorizations: { absent: 1 } });
  });

  it('#62 a login that is not stored degrades the health', async () => {
    const { world, clock, feishu, store, logIn } = newWorld();
    await logIn('ou_a');
    await world.tokens.getUserAccessToken('ou_a');
    await clock.advance(7_200_000 - 60_000);
    store.fault = (operation) =>
      operation === 'put' && feishu.exchanges.length > 0 ? Promise.reject(new Error('down')) : undefined;
    await world.settle(world.tokens.refresh({ kind: 'user', openId: 'ou_a' }));
    expect(examineHealth(world.engine.health)).toMatchObject({
      status: 'degraded',
      users: { uncommitted: 1 },
    });
    store.up();
    await clock.advance(60_000);
    expect(examineHealth(world.engine.health)).toMatchObject({ status: 'up', users: { uncommitted: 0 } });
    expect(world.tokens.metrics().users).toMatchObject({ rotations: 1, uncommitted: 0 });
  });
});

it('#67 the event about revoked tokens ends the login, whatever the type of the app', async () => {
  const { world, clock, users, logIn } = newWorld();
  await logIn('ou_a');
  expect(await world.tokens.getUserAccessToken('ou_a')).toBe('u-access-1');
  const { tickets, tenants } = world.engine;
  const handlers = new BuiltInEventHandlers({
    appType: 'self-built',
    tickets,
    tenants,
    logins: users.logins,
    clock,
  });
  await clock.advance(1_000);
  const event = { open_id: 'ou_a', revoke_token_type: 'user_access_token refresh_token ' };
  await handlers.apply({
    eventType: 'auth.user_access_token.revoked_v4',
    createdAt: new Date(clock.now()),
    event,
  } as unknown as FeishuEvent);
  await expect(world.tokens.getUserAccessToken('ou_a')).rejects.toMatchObject({ reason: 'revoked' });
});
