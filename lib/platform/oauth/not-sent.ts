import { isErrorLike, MAX_CAUSES } from '../../errors/sanitize-cause.js';

/** Failures to find or reach the host: nothing of the request was written. */
const UNREACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Failures of the TLS handshake, which comes before the request. Names: OpenSSL's verification errors, and Node's own. */
const HANDSHAKE =
  /^(CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|ERR_TLS_CERT_\w+|ERR_TLS_HANDSHAKE_TIMEOUT|ERR_SSL_\w*(HANDSHAKE|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|VERIFY)\w*|HOSTNAME_MISMATCH)$/;

/**
 * Whether `error`, thrown by a `fetch`, says that the request surely never reached the server. `false` if that is not
 * known: a reset connection, a timeout, an error of a custom `fetch`.
 */
export function surelyNotSent(error: unknown, depth = 0): boolean {
  if (!isErrorLike(error) || depth > MAX_CAUSES) return false;
  const { errors } = error as { errors?: unknown };
  // Several addresses were tried: every one has to have failed before the request.
  if (Array.isArray(errors) && errors.length > 0) {
    return errors.every((one) => surelyNotSent(one, depth + 1));
  }
  const { code } = error;
  if (typeof code === 'string' && (UNREACHED.has(code) || HANDSHAKE.test(code))) return true;
  return surelyNotSent(error.cause, depth + 1);
}
