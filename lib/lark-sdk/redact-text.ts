export const REDACTED = '[redacted]';

const NAMES = [
  ...['app_?secret', 'client_?secret', 'client_?assertion', 'app_?ticket', 'encrypt_?key', 'code_?verifier'],
  ...['(?:tenant_?|app_?|user_?)?access_?token', 'refresh_?token', 'id_?token', 'access_?key', 'password'],
].join('|');

/*
 * Every repetition that a match may begin with is bounded: what is logged may have been written by anybody, and must
 * not be able to make a regular expression slow.
 */

/** `"app_secret":"..."`, in JSON and in JSON within JSON: the value ends where its opening quote comes again. */
const JSON_FIELD = new RegExp(String.raw`(\\{0,8}")(${NAMES})\1(\s*:\s*)\1(?:(?!\1).)*\1`, 'gis');
/** The same of an OAuth code: any other `code` is that of an error. */
const JSON_CODE = /(\\{0,8}")code\1(\s*:\s*)\1(?:(?!\1).)*\1/gis;
/** `app_secret: '...'`, as node prints an object. */
const PRINTED_FIELD = new RegExp(String.raw`\b(${NAMES})\b(['"]?\s*:\s*)(['"\x60])(?:(?!\3).)*\3`, 'gis');
/** `access_token=...`, in a query and in a form. */
const QUERY_FIELD = new RegExp(String.raw`\b(${NAMES}|ticket)=([^&\s"'\x60]+)`, 'gi');
/** `Authorization: Bearer ...`, and credentials of a proxy. */
const CREDENTIALS = /\b(Bearer|Basic)\s+[^\s"'\\,;<>[\]]+/gi;
/** Feishu's tokens by their looks: `t-`, `a-`, `u-`, `ur-` and so on. */
const TOKEN = /\b(?:[a-z]|ur)-(?=[\w.]*\d|[\w.]*[A-Z])[\w.]{16,}/g;
const JSON_WEB_TOKEN = /\beyJ[\w-]{8,4096}\.[\w-]+(?:\.[\w-]+)*/g;
/** `https://user:password@host` */
const USER_INFO = /(\/\/)[^/\s:@]+:[^/\s@]+@/g;

/** `text` without secrets and tokens: those that are known, and what looks like one. */
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
