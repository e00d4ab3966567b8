import { setTimeout as sleep } from 'node:timers/promises';
import { FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { LocalRedis } from './local-redis.js';
import { EMULATED_APP } from './replica.module.js';
import { ReplicaProcess } from './replica-process.js';
import { Screen } from './screen.js';
import { printTotals, totalsOf } from './totals.js';

const PROCESSES = 5;
const LIFE_MS = 10_000;
const LATENCY_MS = 200;
const FROZEN_MS = 5_000;
const TENANT_TOKEN = '/open-apis/auth/v3/tenant_access_token/internal';

let isInterrupted = false;
const redis = await LocalRedis.start().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
const emulator = await FeishuEmulator.start({
  apps: [EMULATED_APP],
  tokenLifetimeSeconds: LIFE_MS / 1_000,
  latencyMs: { [TENANT_TOKEN]: LATENCY_MS },
});
const replicas: ReplicaProcess[] = [];
const screen = new Screen(replicas);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isInterrupted = true;
    void cleanUp().then(() => process.exit(130));
  });
}
try {
  await show();
} catch (error) {
  if (!isInterrupted) console.error(error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

async function show(): Promise<void> {
  console.log(
    `${PROCESSES} processes, one Redis, and an emulator of the platform; tokens live ${LIFE_MS / 1_000} s (Feishu's: 2 hours).\n`,
  );
  await addReplicas(PROCESSES);
  screen.begin();
  screen.say(
    `1. All start to read at once, and there is no token yet. The platform takes ${LATENCY_MS} ms for one.`,
  );
  for (const replica of replicas) replica.go();
  await sleep(2_000);
  screen.say(`   Platform calls so far: ${calls().length}`);

  screen.say('2. Steady reads, and a process in the middle of a renewal is killed, lock in hand.');
  const killed = await killLockHolder();
  screen.say(
    `   ${killed} asked the platform, which hangs, and got SIGKILL. Another process takes its place.`,
  );
  await addReplicas(1);
  replicas.at(-1)?.go();
  await sleep(1.2 * LIFE_MS);

  const from = Date.now();
  screen.say(`3. Redis freezes for ${FROZEN_MS / 1_000} s.`);
  redis.freeze();
  await sleep(FROZEN_MS);
  redis.thaw();
  await sleep(2_000);

  screen.say('4. Redis is killed and comes back empty.');
  await redis.kill();
  await sleep(1_000);
  await redis.start();
  // A token that was fetched while Redis was away is shared again from its next renewal on.
  await sleep(LIFE_MS);
  const to = Date.now();
  screen.say('5. And on as before.');
  await sleep(1.2 * LIFE_MS);
  screen.end();

  const course = { calls: calls(), lifeMs: LIFE_MS, trouble: { from, to }, killedCalls: 1 };
  const totals = totalsOf(replicas, course);
  console.log('\nIn total, and what it should be:');
  printTotals(totals);
  if (totals.some(({ isFine }) => !isFine)) process.exitCode = 1;
}

/** Requests for a token so far, each with its time. */
function calls(): number[] {
  return emulator.requestsTo(TENANT_TOKEN).map(({ at }) => at);
}

async function addReplicas(count: number): Promise<void> {
  const environment = { REDIS_URL: redis.url, FEISHU_OPEN: emulator.domain.open };
  const names = Array.from({ length: count }, (_, index) => `#${replicas.length + index + 1}`);
  replicas.push(...(await Promise.all(names.map((name) => ReplicaProcess.start(name, environment)))));
}

/** The next request for a token gets no answer, and its process dies; gives back its name. */
async function killLockHolder(): Promise<string> {
  const before = calls().length;
  emulator.faults.add({ path: TENANT_TOKEN, times: 1, kind: 'hang' });
  const holder = await new Promise<ReplicaProcess>((resolve) => {
    for (const replica of replicas) replica.onAsking = () => resolve(replica);
  });
  for (const replica of replicas) replica.onAsking = () => undefined;
  while (calls().length === before) await sleep(5);
  holder.kill();
  return holder.name;
}

async function cleanUp(): Promise<void> {
  for (const replica of replicas) replica.kill();
  await emulator.stop();
  await redis.kill();
}
