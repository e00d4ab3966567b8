import { types } from 'node:util';
import { isErrorLike } from '../errors/sanitize-cause.js';
import { redactText, REDACTED } from './redact-text.js';

/** Deeper values are not logged. */
const MAX_DEPTH = 10;

/** Names of secret fields, in lower case, without `-` and `_`. `token` and `ticket` occur in events and WebSockets. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...['authorization', 'proxyauthorization', 'xlarkhelpdeskauthorization', 'cookie', 'setcookie'],
  ...['appsecret', 'clientsecret', 'clientassertion', 'secret', 'password', 'encryptkey'],
  ...['tenantaccesstoken', 'appaccesstoken', 'useraccesstoken', 'accesstoken', 'refreshtoken', 'idtoken'],
  ...['appticket', 'ticket', 'token', 'verificationtoken', 'helpdesktoken', 'accesskey', 'codeverifier'],
]);

/**
 * Copies `value` for a log, without secrets and tokens. Errors stay errors with their fields; live objects (sockets,
 * streams, agents) are replaced by their names.
 *
 * @param secrets texts to remove from every string
 */
export function redact(value: unknown, secrets: readonly string[] = []): unknown {
  return new Redactor(secrets).copy(value, 0);
}

class Redactor {
  /** Maps each object to its copy, so that circular references stay circular. */
  private readonly copies = new Map<object, unknown>();

  constructor(private readonly secrets: readonly string[]) {}

  copy(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return redactText(value, this.secrets);
    if (typeof value === 'function') return `[function ${value.name}]`;
    if (typeof value !== 'object' || value === null) return value;
    const known = this.copies.get(value);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return '[...]';
    return this.copyObject(value, depth);
  }

  private copyObject(value: object, depth: number): unknown {
    if (isErrorLike(value)) return this.copyError(value, depth);
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      this.copies.set(value, items);
      for (const item of value) items.push(this.copy(item, depth + 1));
      return items;
    }
    if (types.isMap(value)) return this.copyFields(Object.fromEntries(value), {}, depth);
    if (types.isSet(value)) return this.copyObject([...value], depth);
    if (types.isDate(value)) return value;
    if (value instanceof URL || value instanceof URLSearchParams) return this.copy(String(value), depth);
    if (isPlain(value)) return this.copyFields(value, {}, depth);
    if (isHeaders(value)) return this.copyFields(value.toJSON(), {}, depth);
    return describe(value);
  }

  private copyError(error: Error, depth: number): Error {
    const copy = new Error(redactText(error.message, this.secrets));
    copy.name = error.name;
    copy.stack = redactText(error.stack ?? `${error.name}: ${error.message}`, this.secrets);
    if (error.cause !== undefined) {
      this.copies.set(error, copy);
      copy.cause = this.copy(error.cause, depth + 1);
    }
    const { name: _name, message: _message, stack: _stack, cause: _cause, ...fields } = error;
    // A refused connection is an AggregateError, whose `errors` contain the reason.
    const { errors } = error as { errors?: unknown };
    return this.copyFields(Array.isArray(errors) ? { ...fields, errors } : fields, copy, depth, error);
  }

  private copyFields<T extends object>(fields: object, into: T, depth: number, original: object = fields): T {
    this.copies.set(original, into);
    // Beside a grant type, `code` is an OAuth code, which is secret. Elsewhere it is an error code.
    const isGrant = Object.hasOwn(fields, 'grant_type') || Object.hasOwn(fields, 'grantType');
    for (const [name, value] of Object.entries(fields)) {
      const isSecret = isSecretName(name) || (isGrant && name === 'code');
      const copied = isSecret ? redactedField(value) : this.copy(value, depth + 1);
      Object.defineProperty(into, name, {
        value: copied,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return into;
  }
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}

/** Shows that a value is missing. */
function redactedField(value: unknown): unknown {
  return value === undefined || value === null || value === '' ? value : REDACTED;
}

function describe(value: object): unknown {
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name}, ${value.byteLength} bytes]`;
  const { method, path, host } = value as { method?: unknown; path?: unknown; host?: unknown };
  const name = value.constructor?.name ?? 'object';
  if (typeof method !== 'string' || typeof path !== 'string') return `[${name}]`;
  return `[${name} ${method} ${typeof host === 'string' ? host : ''}${redactText(path)}]`;
}

/** Checks the prototype of the prototype, because an object may come from another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Recognises axios's headers, whose content `toJSON` returns. */
function isHeaders(value: object): value is { toJSON(): object } {
  return (
    value.constructor?.name === 'AxiosHeaders' && typeof (value as { toJSON?: unknown }).toJSON === 'function'
  );
}
