import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { isFeishuAuthError } from 'nestjs-feishu-auth';
import { AppModule } from './app.module.js';
import { readEnvironment } from './environment.js';
import { freePort } from './free-port.js';
import { show } from './show.js';

const HELP = `npm start [-- --once | --serve]

  --once    ends after the show, as it does without a terminal
  --serve   stays up after the show, as it does on a terminal; Ctrl-C ends it

FEISHU_APP_ID and FEISHU_APP_SECRET choose an app of yours on Feishu; FEISHU_DOMAIN=lark, on Lark.
Without them there is an emulator. PORT is where the application listens (default 3000).`;
/** This machine only: a show needs no more. */
const HOST = '127.0.0.1';
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What fails from then on fails because the application is closing. */
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
    // Closed, it leaves nothing behind that keeps the process alive.
    if (!staysUp && !isInterrupted) await app.close();
  }
}

function invite(url: string): void {
  console.log(`
The application stays up; Ctrl-C ends it. Try:

   curl ${url}/health
   curl ${url}/metrics.json
   curl ${url}/bot
`);
}

function explain(error: unknown): string {
  if (isFeishuAuthError(error, 'ERR_FEISHU_CREDENTIALS_REJECTED')) {
    return (
      `The platform refuses the app (code ${error.feishuCode ?? 'unknown'}): check FEISHU_APP_ID and FEISHU_APP_SECRET,\n` +
      'and FEISHU_DOMAIN: Feishu knows no app of Lark, and Lark none of Feishu.'
    );
  }
  return error instanceof Error ? error.message : String(error);
}
