import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { type FromReplica, type ToReplica } from './messages.js';
import { SteadyReader } from './steady-reader.js';

/** One replica: started by the show, or by Docker as compose.yaml says. */
const REPORT_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

const isInShow = process.send !== undefined;
const app = await NestFactory.createApplicationContext(AppModule, {
  logger: isInShow ? false : ['warn', 'error', 'fatal'],
});
const reader = app.get(SteadyReader);
if (isInShow) reportToShow();
else runAlone();

function reportToShow(): void {
  const say = (message: FromReplica): void => {
    if (process.connected) process.send?.(message);
  };
  // Ctrl-C on a terminal reaches every process there: the show ends its replicas itself.
  process.on('SIGINT', () => undefined);
  // Whoever started it is gone: so is its reason to be.
  process.on('disconnect', () => process.exit());
  process.on('message', (message: ToReplica) => {
    if (message === 'read') reader.start();
  });
  setInterval(() => void reader.report().then(say), REPORT_EVERY_MS);
  say('ready');
}

function runAlone(): void {
  app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
  reader.start();
  setInterval(() => void printLine(), LINE_EVERY_MS);
}

async function printLine(): Promise<void> {
  const report = await reader.report();
  const { reads, failedReads, rejected, platformCalls, adopted, lockWaits, slowestMs, health } = report;
  console.log(
    `reads ${reads} (failed ${failedReads}), platform calls ${platformCalls}, adopted ${adopted}, ` +
      `lock waits ${lockWaits}, tokens rejected ${rejected}, slowest read ${slowestMs.toFixed(1)} ms, ${health}`,
  );
}
