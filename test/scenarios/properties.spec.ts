import * as fc from 'fast-check';
import { PROPERTY_FACTOR, propertyRuns } from '../fixtures/property-runs.js';
import { HOUR, MINUTE, SECOND } from '../fixtures/renewal.js';
import { Stage } from '../fixtures/stories/stage.js';
import { story, type Happening, type Story } from '../fixtures/stories/story.js';
import { expectNoUnhandledRejections } from '../fixtures/unhandled-rejections.js';

expectNoUnhandledRejections();

/** Stories that went wrong once. They are played first, before the random ones. */
const ONCE_WRONG: Story[] = [
  // The process adopted its own record of a token that was dead by the monotonic clock.
  oneProcess({ lifetimeMs: 2 * HOUR }, [
    { op: 'get', p: 0, kind: 'app', callers: 1, asHandle: false },
    { op: 'jump', p: 0, ms: -10 * MINUTE },
    { op: 'pass', ms: 2 * HOUR },
    { op: 'get', p: 0, kind: 'app', callers: 1, asHandle: false },
  ]),
  // It adopted the record of the token before, which ended later by the wall clock.
  oneProcess({ lifetimeMs: 30 * SECOND, latencyMs: 1 }, [
    { op: 'get', p: 0, kind: 'tenant', callers: 1, asHandle: false },
    { op: 'jump', p: 0, ms: -17_841 },
    { op: 'use', p: 0, kind: 'tenant', times: 6, everyMs: 5_946, asHandle: false },
    { op: 'get for long', p: 0, kind: 'tenant', minValidityMs: 12_163 },
  ]),
  // It adopted a token that was rejected before the last one, from a store that had missed the removal.
  oneProcess({ lifetimeMs: 2 * HOUR }, [
    { op: 'get', p: 0, kind: 'app', callers: 1, asHandle: false },
    { op: 'pass', ms: 1_000 },
    { op: 'store', p: 0, mode: 'forgets' },
    { op: 'invalidate', p: 0, kind: 'app', back: 0, revoke: true, readers: 1 },
    { op: 'pass', ms: 1_000 },
    { op: 'store', p: 0, mode: 'works' },
    { op: 'invalidate', p: 0, kind: 'app', back: 0, revoke: true, readers: 1 },
  ]),
  // The pause after a no-op went past deadAt.
  oneProcess({ lifetimeMs: SECOND, sameTokenMs: 0 }, [
    { op: 'use', p: 0, kind: 'app', times: 4, everyMs: 346, asHandle: false },
  ]),
];

function oneProcess(changes: Partial<Story>, happenings: Happening[]): Story {
  const processes = [{ app: 0, random: 0 }];
  return {
    processes,
    lifetimeMs: 2 * HOUR,
    latencyMs: 0,
    sameTokenMs: 30 * MINUTE,
    heals: false,
    happenings,
    ...changes,
  };
}

describe('random stories of a fleet', () => {
  it(
    '#54 no dead, rejected or foreign token is returned, and the requests to Feishu stay within bounds',
    async () => {
      await fc.assert(
        fc.asyncProperty(story, async (told) => {
          const stage = new Stage(told);
          for (const event of told.happenings) await stage.play(event);
          if (told.heals) await stage.heal();
          await stage.end();
          expect(await stage.verdict()).toEqual([]);
        }),
        { ...propertyRuns(200), examples: ONCE_WRONG.map((told): [Story] => [told]) },
      );
    },
    60_000 * Math.max(1, PROPERTY_FACTOR),
  );
});
