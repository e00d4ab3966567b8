/**
 * The two functions of a test runner that a conformance suite needs. Jest, Vitest, Mocha and `node:test` all have them;
 * a runner's `expect` may be passed along and is not used.
 *
 * @publicApi
 */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
  readonly expect?: unknown;
}

/**
 * The functions of `given`, else those that the test runner put on `globalThis`.
 *
 * @throws TypeError if there are neither
 * @internal
 */
export function testRunner(given: Partial<TestRunner> = {}): TestRunner {
  const { describe, it } = { ...(globalThis as Partial<TestRunner>), ...given };
  if (describe && it) return { describe, it };
  throw new TypeError(
    'The test runner has no global describe() and it(). Pass them as the second argument: { describe, it }.',
  );
}
