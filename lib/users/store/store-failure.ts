import { isErrorLike, MAX_CAUSES } from '../../errors/sanitize-cause.js';

/** A value quoted in a message is recognised by this many characters of it. */
const QUOTED_LENGTH = 12;

/**
 * The error of a driver, reduced to what may be logged. Drivers and query builders attach the whole statement with its
 * parameters, and some put them into the message.
 *
 * @param what the store and the operation that failed
 * @param value the record that the operation was given
 * @internal
 */
export function storeFailure(what: string, error: unknown, value = ''): Error {
  const chain = causesOf(error);
  const reason = chain.at(-1)?.message ?? `a value of type ${typeof error} was thrown`;
  const failure = new Error(
    `${what}: ${quotes(reason, value) ? 'the database reports an error that quotes the record' : reason}`,
  );
  const code = codesOf(error)[0];
  return code === undefined ? failure : Object.assign(failure, { code });
}

/**
 * The codes in an error and in those that it wraps: SQLSTATE, error numbers and names of drivers, of Node.
 *
 * @internal
 */
export function codesOf(error: unknown): (string | number)[] {
  return causesOf(error)
    .toReversed()
    .flatMap(({ code, sqlState, errno }) => [code, sqlState, errno])
    .filter((code) => typeof code === 'string' || typeof code === 'number');
}

type DriverError = Error & {
  readonly code?: unknown;
  readonly sqlState?: unknown;
  readonly errno?: unknown;
  readonly driverError?: unknown;
};

/** The error and what it wraps, the driver's own error last. TypeORM calls it `driverError`. */
function causesOf(error: unknown): DriverError[] {
  const chain: DriverError[] = [];
  for (let next: unknown = error; isErrorLike(next) && chain.length < MAX_CAUSES;) {
    const found: DriverError = next;
    chain.push(found);
    next = found.driverError ?? found.cause;
  }
  return chain;
}

function quotes(message: string, value: string): boolean {
  const words = value.match(new RegExp(`[\\w.-]{${QUOTED_LENGTH}}`, 'g')) ?? [];
  return words.some((word) => message.includes(word));
}
