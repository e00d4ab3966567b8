import { APP_INTERCEPTOR } from '@nestjs/core';
import { TokenService } from '../lib/token.service.js';
import { FeishuApiError } from './fixtures/calling-feishu.js';
import { ECHO, Gate, STORE, TENANT_GRANT } from './fixtures/feishu-platform.js';

import {
  app,
  codesOf,
  currentToken,
  emulator,
  get,
  holdHandlers,
  OwnInterceptor,
  ran,
  start,
  startStoreApp,
  stopAfterEach,
  thrown,
} from './fixtures/request-app.js';

stopAfterEach();

describe.each(['Express', 'Fastify'] as const)('@FeishuAuth() on %s', (adapter) => {
  it('injects the requested token and keeps it', async () => {
    await start(adapter);
    expect(await get('plain/tenant')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(await get('plain/tenant')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(await get('plain/app')).toMatchObject({ status: 200, body: { kind: 'app' } });
    expect(codesOf(TENANT_GRANT)).toEqual([0]);
  });

  it('on class and method uses the options of the method and runs the handler once', async () => {
    await startStoreApp(adapter);
    const tenant = { 'x-tenant': 'tenant_b' };
    expect((await get('both/class', tenant)).body).toMatchObject({ kind: 'tenant', tenantKey: 'tenant_b' });
    expect((await get('both/method')).body).toMatchObject({ kind: 'app' });
    expect(ran).toEqual(['class', 'method']);
  });

  it('on class and method replays the handler once', async () => {
    await start(adapter);
    emulator.revoke(await app.get(TokenService).getAppAccessToken());
    expect((await get('both/method')).body).toMatchObject({ kind: 'app' });
    expect(ran).toEqual(['method', 'method']);
  });

  it.each(['both/class', 'scoped'])('two tenants in parallel get separate tokens: %s', async (path) => {
    await startStoreApp(adapter);
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const tenantKey = STORE.tenantKeys[index % 2] as string;
        const { body } = await get(path, { 'x-tenant': tenantKey });
        return body['tenantKey'] === tenantKey;
      }),
    );
    expect(answers).toEqual(answers.map(() => true));
  });

  it('#30 20 handlers with one dead token cause one renewal and run once more each', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    const all = new Gate();
    holdHandlers((howManyRan) => {
      if (howManyRan === 20) all.open();
      return all.opened;
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => get(`plain/replayed/${index}`, { 'x-own': `${index}` })),
    );
    for (const [index, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: `${index}`, own: `${index}`, kind: 'tenant' });
    }
    expect(ran).toHaveLength(40);
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
    expect(codesOf(ECHO).filter((code) => code === 99991663)).toHaveLength(20);
  });

  it('runs a handler that returns an observable once more', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect(await get('plain/observed')).toMatchObject({ status: 200, body: { kind: 'tenant' } });
    expect(ran).toEqual(['observed', 'observed']);
  });

  it('without replay the client gets the error, and the next request has a new token', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('plain/tenant')).status).toBe(500);
    expect(thrown).toMatchObject([expect.any(FeishuApiError)]);
    expect((await get('plain/tenant')).status).toBe(200);
    expect(ran).toHaveLength(2);
  });

  it('#32 the handler does not run again if Feishu grants the same token', async () => {
    await start(adapter);
    expect((await get('plain/refused')).status).toBe(500);
    expect((await get('plain/refused')).status).toBe(500);
    expect(ran).toEqual(['refused', 'refused']);
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
  });

  it('#34 another error causes neither a replay nor a renewal', async () => {
    await start(adapter);
    emulator.faults.add({ path: ECHO, status: 400, code: 99991672 });
    expect((await get('plain/replayed/1')).status).toBe(500);
    expect(ran).toEqual(['1']);
    expect(codesOf(TENANT_GRANT)).toHaveLength(1);
  });

  it('a handler that has written to the response does not run again', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    const { body } = await get('plain/by-hand');
    expect(body).toEqual({ text: 'begun;ended' });
    expect(ran).toEqual(['by-hand']);
    expect(await currentToken()).toBeTruthy();
    expect(codesOf(TENANT_GRANT)).toHaveLength(2);
  });

  it('an event stream is replayed before its first event and not after it', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('plain/events/replayed')).body['text']).toContain('data: tenant');
    expect(ran).toEqual(['events', 'events']);

    emulator.revoke(await currentToken());
    const { text } = (await get('plain/events')).body;
    expect(text).toContain('data: first');
    expect(text).not.toContain('data: called');
    expect(ran).toHaveLength(3);
    expect((await get('plain/events')).body['text']).toContain('data: called');
  });

  it('works below an interceptor that repeats the handler', async () => {
    await start(adapter);
    emulator.revoke(await currentToken());
    expect((await get('retried')).body).toMatchObject({ kind: 'tenant' });
    expect(ran).toEqual(['retried', 'retried']);
  });

  it('a subclass as APP_INTERCEPTOR recognises the errors of another client', async () => {
    await start(adapter, {}, [{ provide: APP_INTERCEPTOR, useClass: OwnInterceptor }]);
    emulator.revoke(await currentToken());
    expect(await get('own')).toMatchObject({ status: 200, body: { done: true } });
    expect(ran).toEqual(['own', 'own']);
    expect(await get('own/without')).toMatchObject({ status: 200, body: { done: true } });
  });
});
