/**
 * What in the settings of a Redis may lose logins.
 *
 * @param info the sections `persistence` and `memory` of `INFO`
 * @returns a warning for each, with the setting that ends it
 */
export function durabilityWarnings(info: string): string[] {
  const warnings: string[] = [];
  if (settingIn(info, 'aof_enabled') !== '1') {
    warnings.push(
      'Redis does not write an append-only file: a restart loses logins, and their users have to log in again. Set "appendonly yes".',
    );
  }
  const policy = settingIn(info, 'maxmemory_policy') ?? '';
  if (policy.startsWith('allkeys-')) {
    warnings.push(
      `Redis may evict logins when its memory is full (maxmemory-policy ${policy}): their users have to log in again. Set "maxmemory-policy noeviction", or use another Redis for the logins.`,
    );
  }
  return warnings;
}

const settingIn = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
