import { parseArgs } from 'node:util';
import { Board } from './board.js';
import { rulesTable } from './rules.js';
import { introduction, Show } from './show.js';
import { Stage } from './stage.js';

const HELP = `npm run sample:fleet [-- --life <seconds>]

  --life    how long a token of the emulator lives (default 8, at least 6): the show takes about
            five of those

It needs a redis-server, on PATH or named in REDIS_SERVER_BIN. It ends by itself, with status 0
if all totals are what they should be, and 1 if not. Ctrl-C ends it sooner.`;
const DEFAULT_LIFE_SECONDS = 8;
/** Below, the lock of a killed process outlives the token. */
const MIN_LIFE_SECONDS = 6;
const MAX_LIFE_SECONDS = 60;
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort());
}

try {
  process.exitCode = await run();
} catch (error) {
  if (interruption.signal.aborted) {
    process.exitCode = INTERRUPTED;
  } else {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** The exit status. */
async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      life: { type: 'string', default: String(DEFAULT_LIFE_SECONDS) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const lifeSeconds = Number(values.life);
  if (!(
    Number.isInteger(lifeSeconds) &&
    lifeSeconds >= MIN_LIFE_SECONDS &&
    lifeSeconds <= MAX_LIFE_SECONDS
  )) {
    throw new Error(`--life must be a whole number from ${MIN_LIFE_SECONDS} to ${MAX_LIFE_SECONDS}.`);
  }
  const { signal } = interruption;
  const stage = await Stage.set(lifeSeconds, signal);
  const board = new Board();
  try {
    console.log(introduction(lifeSeconds));
    const rules = await new Show(stage, board, { lifeSeconds, signal }).run();
    board.heading('The totals, and what they should be');
    board.snapshot();
    console.log(`\n${rulesTable(rules)}`);
    const broken = rules.filter(({ isMet }) => !isMet).length;
    console.log(
      broken === 0 ? '\nAll totals are what they should be.' : `\n${broken} of ${rules.length} are NOT ok.`,
    );
    return broken === 0 ? 0 : 1;
  } finally {
    board.stop();
    await stage.clear();
  }
}
