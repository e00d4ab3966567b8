export const REDACTED = '[redacted]';

const NAMES = [
  ...['app_?secret', 'client_?secret', 'client_?assertion', 'app_?ticket', 'encrypt_?key', 'code_?verifier'],
  ...['(?:tenant_?|app_?|user_?)?access_?token', 'refresh_?token', 'id_?token', 'access_?key', 'password'],
].join('|');

/*
 * The first repetition of every pattern is bounded: logged text can be hostile and must not make a pattern slow.
 */

/** `"app_secret":"..."`, in JSON and in nested JSON text: the value ends where its opening quote is repeated. */
const JSON_FIELD = new RegExp(String.raw`(\\{0,8}")(${NAMES})\1(\s*:\s*)\1(?:(?!\1).)*\1`, 'gis');
/** An OAuth code in JSON. Other fields named `code` are error codes. */
const JSON_CODE = /(\\{0,8}")code\1(\s*:\s*)\1(?:(?!\1).)*\1/gis;
/** `app_secret: '...'`, as Node prints an object. */
const PRINTED_FIELD = new RegExp(String.raw`\b(${NAMES})\b(['"]?\s*:\s*)(['"\x60])(?:(?!\3).)*\3`, 'gis');
/** `access_token=...`, in a query and in a form. */
const QUERY_FIELD = new RegExp(String.raw`\b(${NAMES}|ticket)=([^&\s"'\x60]+)`, 'gi');
/** `Authorization: Bearer ...`, and the credentials of a proxy. */
const CREDENTIALS = /\b(Bearer|Basic)\s+[^\s"'\\,;<>[\]]+/gi;
/** Feishu's tokens by their form: `t-`, `a-`, `u-`, `ur-` and so on. */
const TOKEN = /\b(?:[a-z]|ur)-(?=[\w.]*\d|[\w.]*[A-Z])[\w.]{16,}/g;
const JSON_WEB_TOKEN = /\beyJ[\w-]{8,4096}\.[\w-]+(?:\.[\w-]+)*/g;
/** `https://user:password@host` */
const USER_INFO = /(\/\/)[^/\s:@]+:[^/\s@]+@/g;

/** Removes the given secrets, and everything that looks like a secret or token, from `text`. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, REDACTED);
  if (/grant_?type/i.test(clean)) clean = clean.replaceAll(JSON_CODE, `$1code$1$2$1${REDACTED}$1`);
  return clean
    .replaceAll(JSON_FIELD, `$1$2$1$3$1${REDACTED}$1`)
    .replaceAll(PRINTED_FIELD, `$1$2$3${REDACTED}$3`)
    .replaceAll(QUERY_FIELD, `$1=${REDACTED}`)
    .replaceAll(CREDENTIALS, `$1 ${REDACTED}`)
    .replaceAll(TOKEN, REDACTED)
    .replaceAll(JSON_WEB_TOKEN, REDACTED)
    .replaceAll(USER_INFO, `$1${REDACTED}@`);
}
