/**
 * Where jitter comes from; abstract, so that tests can fix it. Used as a DI token.
 *
 * @publicApi
 */
export abstract class RandomSource {
  /** A number in [0, 1). */
  abstract next(): number;
}

/** @internal */
export class SystemRandomSource extends RandomSource {
  next(): number {
    return Math.random();
  }
}
