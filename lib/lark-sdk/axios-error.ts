import { isErrorLike } from '../errors/sanitize-cause.js';
import { redact } from './redact.js';

/** What axios hangs on an error, besides its config. */
interface AxiosErrorParts {
  config?: object;
  request?: unknown;
  response?: { config?: object; request?: unknown };
}

/** Objects of node's with the whole request in them, the head with its bearer included. */
const LIVE = ['request', 'httpAgent', 'httpsAgent'];

/**
 * Takes secrets and tokens out of an error that axios has just made, so that whoever logs or serialises it gives none
 * away. It stays the error that it was; what is live stays readable, but is not shown.
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
  // Text only: a form may be a file, and nobody's secret.
  if (typeof clean['data'] === 'string') clean['data'] = redact(clean['data']);
  hideLive(clean);
  return clean;
}

function hideLive(holder: object): void {
  for (const name of LIVE) {
    if (Object.hasOwn(holder, name)) Object.defineProperty(holder, name, { enumerable: false });
  }
}
