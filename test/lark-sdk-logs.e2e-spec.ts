import { inspect } from 'node:util';
import { type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import * as lark from '@larksuiteoapi/node-sdk';
import { FeishuAuthModule } from '../lib/index.js';
import { FeishuLarkModule, larkLogger } from '../lib/lark-sdk/index.js';
import { LarkWorld, MESSAGE, MESSAGES, RecordingLogger, SECRET } from './fixtures/lark-world.js';

let world: LarkWorld;

beforeEach(async () => {
  world = await LarkWorld.start();
});

afterEach(() => world.stop());

/** Prints a value with its hidden properties. */
function everythingIn(value: unknown): string {
  return inspect(value, {
    depth: Infinity,
    showHidden: true,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
  });
}

describe('what the SDK logs', () => {
  it('contains no secret if a token request fails; the log of the plain SDK does', async () => {
    world.emulator.faults.add({ path: '/open-apis/auth/', kind: 'reset' });
    const [plain, redacted] = [new RecordingLogger(), new RecordingLogger()];
    for (const logger of [plain, larkLogger(redacted)]) {
      await expect(world.plainClient({ logger }).im.message.create(MESSAGE)).rejects.toThrow();
    }
    expect(everythingIn(plain.entries)).toContain(SECRET);
    expect(everythingIn(redacted.entries)).not.toContain(SECRET);
    // The useful parts are still there.
    expect(everythingIn(redacted.entries)).toMatch(/ECONNRESET[^]*app_secret":"\[redacted\]/);
  });

  it.each([
    ['a typed call', (client: lark.Client) => client.im.message.create(MESSAGE)],
    ['a call by path', (client: lark.Client) => client.request({ method: 'POST', url: MESSAGES, data: {} })],
    ['a download', (client: lark.Client) => client.im.file.get({ path: { file_key: 'a' } })],
    [
      'a user token',
      (client: lark.Client) => client.im.message.create(MESSAGE, lark.withUserAccessToken('u-secret0000')),
    ],
  ])('has no token in it when an API fails: %s', async (_what, call) => {
    const logger = new RecordingLogger();
    const { client, tokens } = await world.client({ logger, loggerLevel: lark.LoggerLevel.trace });
    world.emulator.faults.add({ path: '/open-apis/im/', code: 230001, status: 400 });
    const token = await tokens.getTenantAccessToken();

    const error: unknown = await call(client).catch((reason: unknown) => reason);
    expect(error).toHaveProperty('response.status', 400);
    expect(logger.levels()).toContain('error');
    for (const secret of [token, 'u-secret0000', SECRET]) {
      expect(everythingIn(logger.entries)).not.toContain(secret);
      // The caller may log or serialise the error.
      expect(inspect(error, { depth: Infinity })).not.toContain(secret);
      expect(JSON.stringify(error)).not.toContain(secret);
    }
    expect(error).toHaveProperty('config.url', expect.stringContaining('/open-apis/im/v1/'));
  });

  it.each([
    [lark.LoggerLevel.fatal, []],
    [lark.LoggerLevel.error, ['error']],
    [lark.LoggerLevel.info, ['info', 'error']],
    [lark.LoggerLevel.trace, ['debug', 'info', 'trace', 'error']],
    [undefined, ['info', 'error']],
  ])('contains only the levels of loggerLevel %s', async (loggerLevel, levels) => {
    const logger = new RecordingLogger();
    const { client } = await world.client({ logger, ...(loggerLevel !== undefined && { loggerLevel }) });
    world.emulator.faults.add({ path: '/open-apis/im/', status: 500 });
    await expect(client.request({ method: 'POST', url: MESSAGES, data: {} })).rejects.toThrow();
    expect(logger.levels()).toEqual(levels);
  });

  it('goes to Nest’s Logger for an injected client', async () => {
    const lines: string[] = [];
    const say = (message: unknown, ...context: unknown[]): void =>
      void lines.push([...context, message].join(' '));
    const logger: LoggerService = { log: say, error: say, warn: say, debug: say, verbose: say };
    const auth = FeishuAuthModule.forRoot({
      appId: world.app.appId,
      appSecret: SECRET,
      domain: world.emulator.domain,
      name: 'robot',
    });
    const app = await Test.createTestingModule({
      imports: [auth, FeishuLarkModule.forFeature({ name: 'robot' })],
    })
      .setLogger(logger)
      .compile();
    await app.init();
    try {
      const client = app.get<lark.Client>('FeishuAuth:Client(robot)', { strict: false });
      world.emulator.faults.add({ path: '/open-apis/im/', code: 230001, status: 400 });
      await expect(client.im.message.create(MESSAGE)).rejects.toThrow();
      const own = lines.filter((line) => line.includes('FeishuLark:robot'));
      expect(own[0]).toContain('client ready');
      expect(own.at(-1)).toMatch(/status code 400[^]*230001/);
      expect(own.join('\n')).not.toMatch(/t-\w{20}/);
    } finally {
      await app.close();
    }
  });
});
