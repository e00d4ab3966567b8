import { isErrorLike } from '../errors/sanitize-cause.js';
import { redact } from './redact.js';

/** The properties of an axios error that can contain secrets. */
interface AxiosErrorParts {
  config?: object;
  request?: unknown;
  response?: { config?: object; request?: unknown };
}

/** Node objects that contain the whole request, including its `Authorization` header. */
const LIVE = ['request', 'httpAgent', 'httpsAgent'];

/**
 * Removes secrets and tokens from a new axios error, so that code may log or serialise it. The error object stays the
 * same. Live objects (request, agents) stay readable, but become non-enumerable.
 */
export function withoutSecrets(error: unknown): unknown {
  if (!isErrorLike(error)) return error;
  const parts = error as AxiosErrorParts;
  hideLive(parts);
  if (parts.config) parts.config = cleanConfig(parts.config);
  if (parts.response) {
    hideLive(parts.response);
    if (parts.response.config) parts.response.config = parts.config ?? cleanConfig(parts.response.config);
  }
  return error;
}

function cleanConfig(config: object): object {
  const clean: Record<string, unknown> = { ...config };
  for (const name of ['headers', 'params', 'proxy', 'auth', 'url', 'baseURL'] as const) {
    if (clean[name] !== undefined) clean[name] = redact(clean[name]);
  }
  // Text only: forms and files are not secret.
  if (typeof clean['data'] === 'string') clean['data'] = redact(clean['data']);
  hideLive(clean);
  return clean;
}

function hideLive(holder: object): void {
  for (const name of LIVE) {
    if (Object.hasOwn(holder, name)) Object.defineProperty(holder, name, { enumerable: false });
  }
}
