import { types } from 'node:util';

const MAX_LENGTH = 200;
/** An error reply of Redis begins with its code: `NOPERM ...`, `READONLY ...`. An error of the connection does not. */
const ERROR_REPLY = /^[A-Z][A-Z_]+ /;
/** An error of the operating system: `connect ECONNREFUSED 127.0.0.1:6379`. */
const SYSTEM_ERROR = /^(?:[a-zA-Z]{1,20} )?E[A-Z_]{3,20}(?: [\w.:[\]-]{1,100})?$/;

/** An error whose message this module wrote, so that it can be shown. */
export class ReasonError extends Error {}

/**
 * Why an operation of another library failed, by its innermost cause, in a form that can be logged: refusals of Redis
 * and errors of the operating system with their message, anything else by name, because a message may quote a secret.
 */
export function innermostReason(error: unknown, depth = 0): string {
  if (!isError(error)) return `a value of type ${typeof error} was thrown`;
  // A connection that failed on several addresses has no message.
  const { errors } = error as { errors?: unknown };
  const inner: unknown = Array.isArray(errors) ? errors[0] : error.cause;
  if (isError(inner) && depth < 5) return innermostReason(inner, depth + 1);
  const { message } = error;
  if (error instanceof ReasonError || SYSTEM_ERROR.test(message)) return message;
  if (!ERROR_REPLY.test(message)) return nameOf(error);
  // Redis repeats the arguments of a command that it does not know.
  const [reply = ''] = message.split(/,? with args beginning with:/);
  return reply.length > MAX_LENGTH ? `${reply.slice(0, MAX_LENGTH)}...` : reply;
}

/** Whether a server answered and refused, so that the connection to it works. */
export function isRefusal(reason: string): boolean {
  return ERROR_REPLY.test(reason);
}

/** An error of another realm, such as the one of a test runner, is not an instance of our `Error`. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function nameOf(error: Error): string {
  const { code } = error as { code?: unknown };
  const name = error.name === 'Error' ? error.constructor.name : error.name;
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? `${name} (${code})` : name;
}
