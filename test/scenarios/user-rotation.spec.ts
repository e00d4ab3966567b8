import { jest } from '@jest/globals';
import { TestClock } from '../../lib/testing/test-clock.js';
import { loginKey } from '../../lib/users/record/login-key.js';
import { type LoginTokens } from '../../lib/users/record/login-record.js';
import { CLAIM_MS, LoginFleet, OWNER, USER, type LoginProcess } from '../fixtures/login-fleet.js';
import { networkError } from '../fixtures/scripted-oauth.js';

// Fifty processes of virtual time take their turns on a machine that may be busy.
jest.setTimeout(60_000);

const KEY = loginKey(OWNER, USER);
const reauthorization = (reason: string) =>
  expect.objectContaining({ code: 'ERR_FEISHU_REAUTHORIZATION_REQUIRED', reason, retryable: false });
const retryable = expect.objectContaining({ retryable: true });

/** A process that crashed at a point of its rotation, with the next one beside it. */
async function crashed(
  fleet: LoginFleet,
  point: string,
): Promise<{ dead: LoginProcess; next: LoginProcess }> {
  const [dead, next] = [fleet.process(), fleet.process()];
  await fleet.logIn(dead);
  for (const process of [dead, next]) await fleet.settle(process.read());
  await fleet.advanceTo('due');
  dead.gate.pauseAtPoint(point);
  void dead.read().catch(() => undefined);
  await fleet.clock.advance(1_000);
  expect(dead.gate.isPaused).toBe(true);
  dead.gate.crash();
  return { dead, next };
}

/** The same: what it was granted is in the journal, and not in the store. */
async function crashedWithJournal(): Promise<{ fleet: LoginFleet; next: LoginProcess }> {
  const fleet = new LoginFleet({ journal: true });
  const [dead, next] = [fleet.process(), fleet.process()];
  await fleet.logIn(dead);
  for (const process of [dead, next]) await fleet.settle(process.read());
  await fleet.advanceTo('due');
  dead.gate.pauseAtPoint('fetch, after');
  void dead.read().catch(() => undefined);
  await TestClock.settle();
  fleet.store.fault = () => new Promise(() => undefined);
  dead.gate.resume();
  await TestClock.settle();
  dead.gate.crash();
  fleet.store.up();
  expect((await fleet.login())?.tokens?.access).toBe('u-access-1');
  return { fleet, next };
}

describe('rotation of a user login', () => {
  describe('#48 #55 many processes need the new token at once', () => {
    it.each([
      ['due', 'sweep'],
      ['dead', 'read'],
    ] as const)('the token is %s: one exchange, and all have the new token', async (when, how) => {
      const fleet = new LoginFleet();
      const processes = Array.from({ length: 50 }, () => fleet.process());
      await fleet.logIn(processes[0] as LoginProcess);
      for (const process of processes) await fleet.settle(process.read());
      fleet.feishu.latencyMs = 300;
      for (let generation = 1; generation <= 3; generation++) {
        await fleet.advanceTo(when);
        await fleet.settle(Promise.all(processes.map((process) => process[how]())));
        const tokens = await fleet.settle(Promise.all(processes.map((process) => process.read())));
        expect(new Set(tokens).size).toBe(1);
        expect(fleet.feishu.accepts(tokens[0])).toBe(true);
        expect(fleet.feishu.exchanges).toHaveLength(generation);
      }
      expect(fleet.feishu.replays).toEqual([]);
    });

    it('20 callers of one process share one exchange', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      const tokens = await fleet.settle(Promise.all(Array.from({ length: 20 }, () => process.read())));
      expect(new Set(tokens)).toEqual(new Set(['u-access-2']));
      expect(fleet.feishu.exchanges).toHaveLength(1);
    });

    it('the new refresh token is stored before any caller has the new access token', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      process.gate.pauseAtPoint('store.put, before');
      let isServed = false;
      const read = process.read().finally(() => (isServed = true));
      await TestClock.settle();
      // The first write is the claim, the second one the commit.
      process.gate.resume();
      process.gate.pauseAtPoint('store.put, after');
      await TestClock.settle();
      process.gate.pauseAtPoint('store.put, before');
      process.gate.resume();
      await TestClock.settle();
      expect(fleet.feishu.exchanges).toHaveLength(1);
      expect(isServed).toBe(false);
      process.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-2');
    });
  });

  it('#56 a crash before the exchange: after the claim, the next process rotates', async () => {
    const fleet = new LoginFleet();
    const { next } = await crashed(fleet, 'fetch, before');
    expect(await fleet.settle(next.sweep())).toBeUndefined();
    await fleet.advanceTo('dead');
    expect(await fleet.settle(next.read())).toBe('u-access-2');
    expect(fleet.feishu.exchanges).toHaveLength(1);
  });

  describe('#57 a crash after the exchange, before the commit', () => {
    it('without a journal: one attempt when the old token is dead, a claim of waiting, then outcome-lost', async () => {
      const fleet = new LoginFleet();
      const { next } = await crashed(fleet, 'fetch, after');
      await fleet.clock.advance(2 * CLAIM_MS);
      expect(await fleet.settle(next.sweep())).toBeUndefined();
      expect(await fleet.settle(next.read())).toBe('u-access-1');
      expect(fleet.feishu.exchanges).toHaveLength(1);

      await fleet.advanceTo('dead');
      await expect(fleet.settle(next.read())).rejects.toEqual(retryable);
      expect(fleet.feishu.exchanges).toHaveLength(2);
      expect(await next.status()).toMatchObject({ state: 'active' });

      await fleet.clock.advance(CLAIM_MS);
      await expect(fleet.settle(next.read())).rejects.toEqual(reauthorization('outcome-lost'));
      expect(fleet.feishu.exchanges).toHaveLength(2);
      expect(await next.status()).toMatchObject({
        state: 'reauthorization-required',
        reason: 'outcome-lost',
        scopes: ['offline_access', 'im:message'],
      });
      expect(await fleet.login()).toMatchObject({ ended: { feishuCode: 20064 }, user: { name: 'Ada' } });
      expect((await fleet.login())?.tokens).toBeUndefined();
    });

    it('with a journal: the next process commits what the dead one was granted', async () => {
      const { fleet, next } = await crashedWithJournal();
      expect(await fleet.settle(next.sweep())).toBeUndefined();
      await fleet.clock.advance(CLAIM_MS);
      expect(await fleet.settle(next.read())).toBe('u-access-2');
      expect(fleet.feishu.exchanges).toHaveLength(1);
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-2');
      expect(next.engine.counters.journalRecovered).toBe(1);
    });

    it('with a journal that does not answer: no attempt is made, because it may have the tokens', async () => {
      const { fleet, next } = await crashedWithJournal();
      await fleet.advanceTo('dead');
      fleet.cache.break(() => Promise.reject(new Error('down')));
      await expect(fleet.settle(next.read())).rejects.toEqual(retryable);
      expect(fleet.feishu.exchanges).toHaveLength(1);
      fleet.cache.recover();
      await fleet.clock.advance(10_000);
      expect(await fleet.settle(next.read())).toBe('u-access-2');
    });

    it('the attempt is not made again while it is decided, and by no process', async () => {
      const fleet = new LoginFleet();
      const { next } = await crashed(fleet, 'fetch, after');
      const others = Array.from({ length: 10 }, () => fleet.process());
      await fleet.advanceTo('dead');
      const reads = [next, ...others].map((process) => process.read().catch((error: unknown) => error));
      await fleet.settle(Promise.all(reads));
      expect(fleet.feishu.exchanges).toHaveLength(2);
      await fleet.clock.advance(2 * CLAIM_MS);
      await expect(fleet.settle((others[0] as LoginProcess).read())).rejects.toEqual(
        reauthorization('outcome-lost'),
      );
      expect(fleet.feishu.exchanges).toHaveLength(2);
    });

    it('an attempt without an answer is made once more after its claim: the login may be alive', async () => {
      const fleet = new LoginFleet();
      const { next } = await crashed(fleet, 'fetch, before');
      await fleet.advanceTo('dead');
      fleet.feishu.next({ throws: networkError('ECONNRESET') });
      await expect(fleet.settle(next.read())).rejects.toEqual(retryable);
      await fleet.clock.advance(CLAIM_MS);
      expect(await fleet.settle(next.read())).toBe('u-access-2');
    });
  });

  describe('#58 a holder pauses past its claim and comes back', () => {
    it('with the answer, while the next process has found nothing yet: its commit counts', async () => {
      const fleet = new LoginFleet();
      const [holder, rival] = [fleet.process(), fleet.process()];
      await fleet.logIn(holder);
      await fleet.advanceTo('dead');
      holder.gate.pauseAtPoint('fetch, after');
      const read = holder.read();
      await fleet.clock.advance(2 * CLAIM_MS);
      await expect(fleet.settle(rival.read())).rejects.toEqual(retryable);
      holder.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      expect(await fleet.settle(rival.read())).toBe('u-access-2');
      expect(await rival.status()).toMatchObject({ state: 'active' });
    });

    it('with the answer, after another one has given the login up: its commit counts', async () => {
      const fleet = new LoginFleet();
      fleet.feishu.replayRevokesFamily = false;
      const [holder, rival] = [fleet.process(), fleet.process()];
      await fleet.logIn(holder);
      await fleet.advanceTo('dead');
      holder.gate.pauseAtPoint('fetch, after');
      const read = holder.read();
      await fleet.clock.advance(2 * CLAIM_MS);
      await expect(fleet.settle(rival.read())).rejects.toEqual(retryable);
      await fleet.clock.advance(2 * CLAIM_MS);
      await expect(fleet.settle(rival.read())).rejects.toEqual(reauthorization('outcome-lost'));
      holder.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      expect(await fleet.settle(rival.read())).toBe('u-access-2');
      expect(fleet.feishu.isLive('u-refresh-2')).toBe(true);
    });

    it('before it has sent anything: it sends nothing, because its claim is over', async () => {
      const fleet = new LoginFleet();
      const [holder, rival] = [fleet.process(), fleet.process()];
      await fleet.logIn(holder);
      await fleet.advanceTo('dead');
      holder.gate.pauseAtPoint('store.put, after');
      const read = holder.read().catch((error: unknown) => error);
      await fleet.clock.advance(2 * CLAIM_MS);
      expect(await fleet.settle(rival.read())).toBe('u-access-2');
      holder.gate.resume();
      expect(await fleet.settle(read)).toEqual(retryable);
      expect(fleet.feishu.exchanges).toHaveLength(1);
      expect(await fleet.settle(holder.read())).toBe('u-access-2');
    });

    it('before its request leaves, past all checks: it is refused, and adopts what the next process has', async () => {
      const fleet = new LoginFleet();
      fleet.feishu.replayRevokesFamily = false;
      const [holder, rival] = [fleet.process(), fleet.process()];
      await fleet.logIn(holder);
      await fleet.advanceTo('dead');
      holder.gate.pauseAtPoint('fetch, before');
      const read = holder.read();
      await fleet.clock.advance(20_000);
      fleet.clock.suspend(CLAIM_MS);
      const rivals = rival.read();
      await fleet.clock.advance(CLAIM_MS - 30_000);
      holder.gate.resume();
      await TestClock.settle();
      const tokens = await fleet.settle(Promise.allSettled([read, rivals]));
      expect(tokens).toEqual([
        { status: 'fulfilled', value: 'u-access-2' },
        { status: 'fulfilled', value: 'u-access-2' },
      ]);
      expect(await rival.status()).toMatchObject({ state: 'active' });
    });
  });

  it('#59 a write that has nothing to do with the rotation does not cost the login', async () => {
    const fleet = new LoginFleet();
    const process = fleet.process();
    await fleet.logIn(process);
    await fleet.advanceTo('dead');
    process.gate.pauseAtPoint('fetch, after');
    const read = process.read();
    await TestClock.settle();
    const stored = await fleet.store.get(KEY);
    await fleet.store.put(KEY, stored?.value ?? '', stored?.version ?? null);
    process.gate.resume();
    expect(await fleet.settle(read)).toBe('u-access-2');
    expect(await fleet.login()).toMatchObject({ tokens: { refresh: 'u-refresh-2' } });
    expect((await fleet.login())?.claim).toBeUndefined();
  });

  it('#59 nor does it keep a login that Feishu has ended', async () => {
    const fleet = new LoginFleet();
    const process = fleet.process();
    await fleet.logIn(process);
    fleet.feishu.revokeUser(USER);
    await fleet.advanceTo('dead');
    process.gate.pauseAtPoint('fetch, after');
    const read = process.read();
    await TestClock.settle();
    const stored = await fleet.store.get(KEY);
    await fleet.store.put(KEY, stored?.value ?? '', stored?.version ?? null);
    process.gate.resume();
    await expect(fleet.settle(read)).rejects.toEqual(reauthorization('revoked'));
    expect(await process.status()).toMatchObject({ reason: 'revoked' });
  });

  describe('#60 during a rotation', () => {
    async function midRotation(point: string) {
      const fleet = new LoginFleet();
      const [holder, other] = [fleet.process(), fleet.process()];
      await fleet.logIn(holder);
      await fleet.advanceTo('dead');
      holder.gate.pauseAtPoint(point);
      const read = holder.read().catch((error: unknown) => error);
      await TestClock.settle();
      expect(holder.gate.isPaused).toBe(true);
      return { fleet, holder, other, read };
    }

    it.each(['fetch, before', 'fetch, after', 'store.put, before'])(
      'a new login wins, and the tokens of the rotation are revoked (%s)',
      async (point) => {
        const { fleet, holder, other, read } = await midRotation(point);
        await fleet.logIn(other);
        const { tokens } = (await fleet.login()) as { tokens: LoginTokens };
        holder.gate.resume();
        expect(await fleet.settle(read)).toBe(tokens.access);
        expect((await fleet.login())?.tokens).toEqual(tokens);
        expect(fleet.feishu.isLive(tokens.refresh)).toBe(true);
        const live = fleet.feishu.liveRefreshTokens(USER);
        expect(live).toContain(tokens.refresh);
      },
    );

    it('a logout wins, and nothing of the login is left alive', async () => {
      const { fleet, holder, other, read } = await midRotation('fetch, after');
      await fleet.settle(other.engine.logins.logout(USER));
      holder.gate.resume();
      expect(await fleet.settle(read)).toEqual(reauthorization('logged-out'));
      expect(await other.status()).toMatchObject({ reason: 'logged-out' });
      expect(fleet.feishu.liveRefreshTokens(USER)).toEqual([]);
      expect(fleet.feishu.accepts('u-access-2')).toBe(false);
    });

    it('a logout without revocation at Feishu wins as well', async () => {
      const { fleet, holder, other, read } = await midRotation('fetch, after');
      await fleet.settle(other.engine.logins.logout(USER, { revoke: false }));
      holder.gate.resume();
      expect(await fleet.settle(read)).toEqual(reauthorization('logged-out'));
      expect((await fleet.login())?.tokens).toBeUndefined();
    });

    it('an event that revokes the login wins', async () => {
      const { fleet, holder, other, read } = await midRotation('fetch, after');
      const tokenTypes = 'user_access_token refresh_token ';
      await fleet.settle(other.engine.logins.revoked({ openId: USER, tokenTypes, at: fleet.clock.now() }));
      holder.gate.resume();
      expect(await fleet.settle(read)).toEqual(reauthorization('revoked'));
      expect((await fleet.login())?.tokens).toBeUndefined();
    });

    it('a deleted record stays deleted', async () => {
      const { fleet, holder, read } = await midRotation('fetch, after');
      const stored = await fleet.store.get(KEY);
      await fleet.store.delete(KEY, stored?.version ?? '');
      holder.gate.resume();
      expect(await fleet.settle(read)).toEqual(reauthorization('absent'));
      expect(await fleet.store.get(KEY)).toBeUndefined();
    });
  });

  describe('#61 the store is down before the exchange', () => {
    it('nothing is sent; a token that is held is served, and without one the error is retryable', async () => {
      const fleet = new LoginFleet();
      const [process, cold] = [fleet.process(), fleet.process()];
      await fleet.logIn(process);
      await fleet.settle(process.read());
      await fleet.advanceTo('due');
      fleet.store.down();
      await expect(fleet.settle(process.sweep())).rejects.toMatchObject({
        code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      });
      await expect(fleet.settle(cold.read())).rejects.toEqual(retryable);
      fleet.store.up();
      // It can be read, but not written.
      fleet.store.fault = (operation) =>
        operation === 'put' ? Promise.reject(new Error('read only')) : undefined;
      await expect(fleet.settle(process.sweep())).rejects.toMatchObject({
        code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      });
      expect(await fleet.settle(cold.read())).toBe('u-access-1');
      expect(fleet.feishu.exchanges).toHaveLength(0);
      fleet.store.up();
      expect(await fleet.settle(process.sweep())).toBe('u-access-2');
    });

    it('a store that hangs costs its deadline', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      fleet.store.fault = () => new Promise(() => undefined);
      const startedAt = fleet.clock.monotonic();
      await expect(fleet.settle(process.read())).rejects.toMatchObject({
        code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      });
      expect(fleet.clock.monotonic() - startedAt).toBeLessThan(5_000);
      expect(fleet.feishu.exchanges).toHaveLength(0);
    });

    it('a claim that was written although the store reported a failure is taken over by its own process', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      fleet.store.losesAnswers = true;
      await expect(fleet.settle(process.read())).rejects.toMatchObject({
        code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      });
      expect((await fleet.login())?.claim).toBeDefined();
      fleet.store.up();
      expect(await fleet.settle(process.read(), 1_000)).toBe('u-access-2');
      expect(fleet.feishu.replays).toEqual([]);
    });
  });

  describe('#62 the store is down after the exchange', () => {
    async function storeDownAfterExchange(journal = false) {
      const fleet = new LoginFleet({ journal });
      const [process, other] = [fleet.process(), fleet.process()];
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      process.gate.pauseAtPoint('fetch, after');
      const read = process.read();
      await TestClock.settle();
      fleet.store.down();
      process.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      return { fleet, process, other };
    }

    it('the new token is served, uncommitted, and stored when the store is back', async () => {
      const { fleet, process } = await storeDownAfterExchange();
      expect(process.engine.commits.uncommitted).toBe(1);
      expect(await process.status()).toMatchObject({ state: 'uncommitted' });
      await fleet.clock.advance(10 * 60_000);
      expect(process.engine.commits.uncommitted).toBe(1);
      fleet.store.up();
      await fleet.clock.advance(30_000);
      expect(process.engine.commits.uncommitted).toBe(0);
      expect(await process.status()).toMatchObject({ state: 'active' });
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-2');
      expect(fleet.logged.join('\n')).toMatch(
        /warn the new tokens .*stored once[\s\S]*log users\.store answers again/,
      );
      expect(fleet.logged.join('\n')).not.toMatch(/u-(access|refresh)/);
    });

    it('the retries are 0.2 s to 30 s apart', async () => {
      const { fleet } = await storeDownAfterExchange();
      fleet.store.operations.length = 0;
      await fleet.clock.advance(60 * 60_000);
      const { length } = fleet.store.operations;
      expect(length).toBeGreaterThan(100);
      expect(length).toBeLessThan(140);
    });

    it('no other rotation comes before it is stored; when it ends, the error is retryable', async () => {
      const { fleet, process } = await storeDownAfterExchange();
      await fleet.clock.advance(7_200_000 - 20 * 60_000);
      expect(await fleet.settle(process.read())).toBe('u-access-2');
      await fleet.clock.advance(20 * 60_000);
      await expect(fleet.settle(process.read())).rejects.toMatchObject({
        code: 'ERR_FEISHU_USER_STORE_UNAVAILABLE',
      });
      expect(fleet.feishu.exchanges).toHaveLength(1);
      fleet.store.up();
      expect(await fleet.settle(process.read())).toBe('u-access-3');
    });

    it('the shutdown stores it', async () => {
      const { fleet, process } = await storeDownAfterExchange();
      const closed = process.engine.close();
      await fleet.clock.advance(2_000);
      fleet.store.up();
      await fleet.settle(closed);
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-2');
    });

    it('the shutdown ends within 20 s without the store, and says whose login it could not store', async () => {
      const { fleet, process } = await storeDownAfterExchange();
      fleet.store.fault = () => new Promise(() => undefined);
      const startedAt = fleet.clock.monotonic();
      await fleet.settle(process.engine.close());
      expect(fleet.clock.monotonic() - startedAt).toBeLessThan(20_000);
      expect(fleet.logged.at(-1)).toMatch(/^error 1 logins .*: ou_ada$/);
      expect(fleet.clock.pendingTimers).toBe(0);
    });

    it('with a journal another process stores it', async () => {
      const { fleet, process, other } = await storeDownAfterExchange(true);
      process.gate.crash();
      fleet.store.up();
      await fleet.clock.advance(CLAIM_MS + 5 * 60_000);
      expect(await fleet.settle(other.read())).toBe('u-access-2');
      expect(fleet.feishu.exchanges).toHaveLength(1);
    });

    it('a write whose answer was lost is recognised as done', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      process.gate.pauseAtPoint('fetch, after');
      const read = process.read();
      await TestClock.settle();
      fleet.store.losesAnswers = true;
      process.gate.resume();
      expect(await fleet.settle(read)).toBe('u-access-2');
      fleet.store.up();
      await fleet.clock.advance(1_000);
      expect(process.engine.commits.uncommitted).toBe(0);
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-2');
    });

    it('a user who logs in again in the meantime has the new login, and the kept tokens are revoked', async () => {
      const { fleet, process, other } = await storeDownAfterExchange();
      fleet.store.up();
      await fleet.logIn(other);
      await fleet.clock.advance(30_000);
      expect(process.engine.commits.uncommitted).toBe(0);
      expect(fleet.feishu.isLive('u-refresh-2')).toBe(false);
      expect((await fleet.login())?.tokens?.refresh).toBe('u-refresh-3');
      expect(fleet.feishu.isLive('u-refresh-3')).toBe(true);
    });
  });

  describe('the request and the network', () => {
    it.each(['ECONNREFUSED', 'ENOTFOUND', 'CERT_HAS_EXPIRED'])(
      '%s: it was surely not sent, so it is tried again at once',
      async (code) => {
        const fleet = new LoginFleet();
        const process = fleet.process();
        await fleet.logIn(process);
        await fleet.advanceTo('dead');
        fleet.feishu.next({ throws: networkError(code) });
        expect(await fleet.settle(process.read(), 2_000)).toBe('u-access-2');
        expect(fleet.feishu.exchanges).toHaveLength(2);
      },
    );

    it('when it was surely not sent twice, the login is as before, and the next read tries again', async () => {
      const fleet = new LoginFleet();
      const [process, other] = [fleet.process(), fleet.process()];
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      const refused = { throws: networkError('ECONNREFUSED') };
      fleet.feishu.next(refused, refused);
      await expect(fleet.settle(process.read())).rejects.toEqual(retryable);
      expect(await fleet.login()).not.toHaveProperty('claim');
      expect(await fleet.login()).not.toHaveProperty('uncertain');
      expect(await fleet.settle(other.read(), 1_000)).toBe('u-access-2');
    });

    it.each([
      ['a reset before Feishu saw it', { throws: networkError('ECONNRESET') }, 'u-access-2'],
      ['a proxy error before Feishu saw it', { status: 502, body: '<html>' }, 'u-access-2'],
    ])('%s: uncertain, and not sent again while the token is usable', async (_what, fault, expected) => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.settle(process.read());
      await fleet.advanceTo('due');
      fleet.feishu.next(fault);
      await expect(fleet.settle(process.sweep())).rejects.toEqual(retryable);
      for (let minute = 0; minute < 20; minute++) {
        await fleet.clock.advance(60_000);
        expect(await fleet.settle(process.sweep())).toBeUndefined();
        expect(await fleet.settle(process.read())).toBe('u-access-1');
      }
      expect(fleet.feishu.exchanges).toHaveLength(1);
      await fleet.advanceTo('dead');
      expect(await fleet.settle(process.read())).toBe(expected);
      expect(await fleet.login()).not.toHaveProperty('uncertain');
    });

    it('a reset after Feishu used the token: outcome-lost, by one attempt, after a claim of waiting', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.settle(process.read());
      await fleet.advanceTo('due');
      fleet.feishu.next({ when: 'after', throws: networkError('ECONNRESET') });
      await expect(fleet.settle(process.sweep())).rejects.toEqual(retryable);
      await fleet.advanceTo('dead');
      await expect(fleet.settle(process.read())).rejects.toEqual(retryable);
      await fleet.clock.advance(CLAIM_MS);
      await expect(fleet.settle(process.read())).rejects.toEqual(reauthorization('outcome-lost'));
      expect(fleet.feishu.replays).toEqual(['u-refresh-1']);
    });

    it('an answer that is slower than any caller is taken nevertheless', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      fleet.feishu.latencyMs = 40_000;
      expect(await fleet.settle(process.read())).toBe('u-access-2');
    });

    it('a proxy that has lost the answer for good: uncertain when the claim is about to end', async () => {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      fleet.feishu.next({ hangs: true });
      await expect(fleet.settle(process.read())).rejects.toEqual(retryable);
      expect(await fleet.login()).toMatchObject({ uncertain: { claims: [expect.any(String)] } });
    });
  });

  describe('#66 what an answer says', () => {
    async function rotated(alter: (body: Record<string, unknown>) => Record<string, unknown>) {
      const fleet = new LoginFleet();
      const process = fleet.process();
      await fleet.logIn(process);
      await fleet.advanceTo('dead');
      fleet.feishu.next({ alter });
      const end = await fleet.settle(process.read().catch((error: unknown) => error));
      return { fleet, process, end, login: await fleet.login() };
    }

    it('without a refresh token keeps the stored one', async () => {
      const { login } = await rotated(({ refresh_token: _refresh, ...body }) => body);
      expect(login?.tokens).toMatchObject({ access: 'u-access-2', refresh: 'u-refresh-1' });
      expect(login?.tokens?.refreshExpiresAt).toBe((login?.authorizedAt ?? 0) + 604_800_000);
    });

    it('with the type DPoP is refused: nothing of it is stored, and the login is over', async () => {
      const { fleet, end, login } = await rotated((body) => ({ ...body, token_type: 'DPoP' }));
      expect(end).toEqual(reauthorization('outcome-lost'));
      expect(login?.tokens).toBeUndefined();
      expect(JSON.stringify([...fleet.cache.keys, login])).not.toContain('u-access-2');
    });

    it('with fewer scopes shrinks the login to them', async () => {
      const { process } = await rotated((body) => ({ ...body, scope: 'offline_access' }));
      expect(await process.status()).toMatchObject({ scopes: ['offline_access'] });
    });

    it('without scopes leaves them as they are', async () => {
      const { process } = await rotated(({ scope: _scope, ...body }) => body);
      expect(await process.status()).toMatchObject({ scopes: ['offline_access', 'im:message'] });
    });

    it('has the lives that it says', async () => {
      const { fleet, process } = await rotated((body) => ({
        ...body,
        expires_in: 600,
        refresh_token_expires_in: 86_400,
      }));
      const now = fleet.clock.now();
      const status = await process.status();
      expect(status.accessTokenExpiresAt?.getTime()).toBeLessThanOrEqual(now + 600_000);
      expect(status.refreshTokenExpiresAt?.getTime()).toBeLessThanOrEqual(now + 86_400_000);
    });
  });

  describe('#71 clocks that are apart', () => {
    it.each([
      [-120_000, 120_000],
      [120_000, -120_000],
    ])('holder %i ms, rival %i ms: a running claim is left alone', async (holderSkew, rivalSkew) => {
      const fleet = new LoginFleet();
      const [holder, rival] = [fleet.process({ skewMs: holderSkew }), fleet.process({ skewMs: rivalSkew })];
      await fleet.logIn(holder);
      await fleet.clock.advance(7_200_000 + 300_000);
      fleet.feishu.latencyMs = 40_000;
      const read = holder.read();
      await fleet.clock.advance(1_000);
      const rivals = rival.read();
      await fleet.settle(Promise.all([read, rivals]));
      expect(fleet.feishu.exchanges).toHaveLength(1);
      expect(fleet.feishu.replays).toEqual([]);
    });

    it.each([
      [-120_000, 120_000],
      [120_000, -120_000],
    ])('holder %i ms, rival %i ms: the claim of a dead process ends', async (holderSkew, rivalSkew) => {
      const fleet = new LoginFleet();
      const [holder, rival] = [fleet.process({ skewMs: holderSkew }), fleet.process({ skewMs: rivalSkew })];
      await fleet.logIn(holder);
      await fleet.clock.advance(7_200_000 + 300_000);
      holder.gate.pauseAtPoint('fetch, before');
      void holder.read();
      await TestClock.settle();
      holder.gate.crash();
      expect(await fleet.settle(rival.read(), CLAIM_MS + 5_000)).toBe('u-access-2');
    });
  });

  it('#68 two users in one store do not mix', async () => {
    const fleet = new LoginFleet();
    const process = fleet.process();
    await fleet.logIn(process, 'ou_a');
    await fleet.logIn(process, 'ou_b');
    await fleet.advanceTo('dead', 'ou_b');
    const other = fleet.process();
    const [a, b] = await fleet.settle(Promise.all([process.read('ou_a'), other.read('ou_b')]));
    expect(a).not.toBe(b);
    expect(fleet.feishu.ownerOf(a)).toBe('ou_a');
    expect(fleet.feishu.ownerOf(b)).toBe('ou_b');
  });
});
