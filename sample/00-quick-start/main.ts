import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { isFeishuAuthError } from 'nestjs-feishu-auth';
import { AppModule } from './app.module.js';
import { readEnvironment } from './environment.js';
import { freePort } from './free-port.js';
import { show } from './show.js';

const HELP = `npm start [-- --once | --serve]

  --once    exit after the demonstration (the default without a terminal)
  --serve   keep running after the demonstration (the default on a terminal); Ctrl-C stops it

Set FEISHU_APP_ID and FEISHU_APP_SECRET to use your app on Feishu, and FEISHU_DOMAIN=lark for an app on Lark.
Without them the sample uses an emulator. PORT is the port of the application (default 3000).`;
/** Reachable from this machine only. */
const HOST = '127.0.0.1';
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Errors after an interrupt come from the closing application. */
let isInterrupted = false;

try {
  await run();
} catch (error) {
  if (!isInterrupted) {
    console.error(`\n${explain(error)}`);
    process.exitCode = 1;
  }
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      serve: { type: 'boolean', default: process.stdout.isTTY },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { port } = readEnvironment(process.env);

  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error', 'fatal'] });
  app.enableShutdownHooks([...SIGNALS], { useProcessExit: true });
  for (const signal of SIGNALS) process.once(signal, () => (isInterrupted = true));
  await app.listen(await freePort(port, HOST), HOST);
  let staysUp = false;
  try {
    await show(app);
    staysUp = values.serve && !values.once;
    if (staysUp) invite(await app.getUrl());
  } finally {
    // After close() nothing keeps the process alive.
    if (!staysUp && !isInterrupted) await app.close();
  }
}

function invite(url: string): void {
  console.log(`
The application keeps running; Ctrl-C stops it. Try:

   curl ${url}/health
   curl ${url}/metrics.json
   curl ${url}/bot
`);
}

function explain(error: unknown): string {
  if (isFeishuAuthError(error, 'ERR_FEISHU_CREDENTIALS_REJECTED')) {
    return (
      `Feishu rejected the app (code ${error.feishuCode ?? 'unknown'}). Check FEISHU_APP_ID and FEISHU_APP_SECRET,\n` +
      'and FEISHU_DOMAIN: an app of Lark does not exist on Feishu, and the reverse.'
    );
  }
  return error instanceof Error ? error.message : String(error);
}
