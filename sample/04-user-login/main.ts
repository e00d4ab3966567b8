import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { startAccounts } from './accounts.js';
import { AppModule, type Settings } from './app.module.js';
import { show, type Stage } from './show.js';

const HELP = `npm run sample:user-login [-- --once | --serve]

  --once    exit after the demonstration (the default without a terminal)
  --serve   keep running after the demonstration (the default on a terminal); Ctrl-C stops it

It ends with status 0 if everything came out right, and 1 if not. PORT is the port of the
application (default 3000). Feishu is an emulator in this process.`;
const HOST = '127.0.0.1';

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    serve: { type: 'boolean', default: process.stdout.isTTY },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) console.log(HELP);
else await run(values.serve && !values.once);

async function run(staysUp: boolean): Promise<void> {
  const interruption = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const emulator = await startAccounts();
  const directory = await mkdtemp(join(tmpdir(), 'feishu-logins-'));
  const settings = { emulator, directory, encryptionKey: randomBytes(32), port: await freePort() };
  const url = `http://${HOST}:${settings.port}`;
  const stage: Stage = {
    emulator,
    url,
    app: await start(settings),
    restart: async () => {
      await stage.app.close();
      stage.app = await start(settings);
    },
  };
  try {
    if (!(await show(stage))) process.exitCode = 1;
    if (staysUp) {
      console.log(`\nThe application keeps running; Ctrl-C stops it. Open ${url} in a browser.\n`);
      await interruption;
    }
  } finally {
    await stage.app.close();
    await emulator.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function start(settings: Settings): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule.create(settings), { logger: ['warn', 'error', 'fatal'] });
  await app.listen(settings.port, HOST);
  return app;
}

/** PORT if it is free, else any: the redirect URI has to name it before the application listens. */
function freePort(wanted = Number(process.env['PORT'] ?? 3_000)): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
    server.listen(wanted, HOST, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
