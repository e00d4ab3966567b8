import * as v from 'valibot';

export const text = (message: string) => v.pipe(v.string(message), v.trim(), v.nonEmpty(message));
const positive = (unit: string) => {
  const message = `must be a positive number (${unit})`;
  return v.pipe(v.number(message), v.finite(message), v.gtValue(0, message));
};
export const count = v.pipe(positive('an integer'), v.integer('must be an integer'));
export const ms = positive('milliseconds');
export const withMethods = <T>(names: readonly string[], message: string) =>
  v.custom<T>((value) => {
    const methods = value as Record<string, unknown> | null;
    return typeof value === 'object' && names.every((name) => typeof methods?.[name] === 'function');
  }, message);

export const origin = v.pipe(
  v.string('must be an origin such as https://open.feishu.cn'),
  v.check(isOrigin, 'must be an origin without path and user info, such as https://open.feishu.cn'),
  v.check(
    isSafeOrigin,
    'must be https, or http on a loopback host: other URLs would send the secret in clear text',
  ),
);

/** With a message for every place where valibot's would quote the value. */
export const group = <TEntries extends v.ObjectEntries>(entries: TEntries) =>
  v.strictObject(entries, `must be an object: { ${Object.keys(entries).join(', ')} }`);

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { username, password, pathname, search, hash } = new URL(value);
  return username === '' && password === '' && pathname === '/' && search === '' && hash === '';
}

export function isSafeOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
