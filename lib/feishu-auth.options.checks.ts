import * as v from 'valibot';

export const text = (mend: string) => v.pipe(v.string(mend), v.trim(), v.nonEmpty(mend));
const positive = (unit: string) => {
  const mend = `must be a positive number (${unit})`;
  return v.pipe(v.number(mend), v.finite(mend), v.gtValue(0, mend));
};
export const count = v.pipe(positive('a whole one'), v.integer('must be a whole number'));
export const ms = positive('milliseconds');
export const withMethods = <T>(names: readonly string[], mend: string) =>
  v.custom<T>((value) => {
    const methods = value as Record<string, unknown> | null;
    return typeof value === 'object' && names.every((name) => typeof methods?.[name] === 'function');
  }, mend);

export const origin = v.pipe(
  v.string('must be an origin such as https://open.feishu.cn'),
  v.check(isOrigin, 'must be an origin such as https://open.feishu.cn: no path, no user info'),
  v.check(
    isSafeOrigin,
    'must be https, or http on a loopback host: anything else would send the secret in clear',
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
