/**
 * The source of jitter. A test replaces it to make jitter predictable: it is also the injection token.
 *
 * @publicApi
 */
export abstract class RandomSource {
  /** Returns a number in [0, 1). */
  abstract next(): number;
}

/** @internal */
export class SystemRandomSource extends RandomSource {
  next(): number {
    return Math.random();
  }
}
