import { parseArgs } from 'node:util';
import { type EmulatedApp } from './emulator-apps.js';
import { type FeishuEmulatorOptions } from './feishu-emulator.options.js';
import { type EmulatedConsentMode } from './users/consent-endpoints.js';

/**
 * What a command line asks for.
 *
 * @internal
 */
export type CliCommand =
  | { kind: 'help' }
  | { kind: 'mistake'; message: string }
  | { kind: 'start'; app: EmulatedApp; options: FeishuEmulatorOptions };

const DEFAULT_APP_ID = 'cli_emulator';
const DEFAULT_APP_SECRET = 'emulator-secret';
const DEFAULT_OPEN_ID = 'ou_emulator';
const CONSENT_MODES = ['page', 'approve', 'deny'] as const satisfies readonly EmulatedConsentMode[];
const YEAR_SECONDS = 86_400 * 365;

/** @internal */
export const CLI_HELP = `Usage: feishu-emulator [options]

A Feishu / Lark platform on this machine, for trying out an application without credentials.

  --port <number>            where to listen (default: any free port)
  --app-id <id>              the app it knows (default: ${DEFAULT_APP_ID})
  --app-secret <secret>      that app's secret (default: ${DEFAULT_APP_SECRET})
  --store                    the app is a store (ISV) app; default: self-built
  --tenant <tenant key>      a tenant that installed the app; may be given more than once with --store
  --token-lifetime <seconds> how long a token of the app or a tenant lives (default: 7200)
  --user <open id>           a user who can log in; may be given more than once (default: ${DEFAULT_OPEN_ID})
  --redirect-uri <uri>       a registered redirect URI; may be given more than once (default: every one is taken)
  --consent <mode>           what a login shows: 'page' with the buttons, or 'approve' or 'deny' at once (default: page)
  --user-token-lifetime <seconds>    how long a user access token lives (default: 7200)
  --refresh-token-lifetime <seconds> how long a refresh token lives (default: 604800)
  --help                     this text

Ctrl-C stops it.
`;

/** @internal */
export function parseCommandLine(args: readonly string[]): CliCommand {
  try {
    return parse(args);
  } catch (error) {
    // parseArgs throws a TypeError whose message names the flag.
    return { kind: 'mistake', message: error instanceof Error ? error.message : String(error) };
  }
}

function parse(args: readonly string[]): CliCommand {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      port: { type: 'string', default: '0' },
      'app-id': { type: 'string', default: DEFAULT_APP_ID },
      'app-secret': { type: 'string', default: DEFAULT_APP_SECRET },
      store: { type: 'boolean', default: false },
      tenant: { type: 'string', multiple: true, default: [] },
      'token-lifetime': { type: 'string', default: '7200' },
      user: { type: 'string', multiple: true, default: [DEFAULT_OPEN_ID] },
      'redirect-uri': { type: 'string', multiple: true },
      consent: { type: 'string', default: 'page' },
      'user-token-lifetime': { type: 'string', default: '7200' },
      'refresh-token-lifetime': { type: 'string', default: '604800' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  if (!values.store && values.tenant.length > 1) {
    throw new RangeError('a self-built app has one tenant: give --tenant once, or add --store');
  }
  const app: EmulatedApp = {
    appId: filled('--app-id', values['app-id']),
    appSecret: filled('--app-secret', values['app-secret']),
    appType: values.store ? 'store' : 'self-built',
    tenantKeys: values.tenant.map((tenantKey) => filled('--tenant', tenantKey)),
    ...(values['redirect-uri'] && {
      redirectUris: values['redirect-uri'].map((uri) => filled('--redirect-uri', uri)),
    }),
  };
  return {
    kind: 'start',
    app,
    options: {
      port: wholeNumber('--port', values.port, 0, 65_535),
      tokenLifetimeSeconds: lifetime('--token-lifetime', values['token-lifetime']),
      users: values.user.map((openId) => ({ openId: filled('--user', openId) })),
      oauth: {
        consent: consentMode(values.consent),
        accessTokenLifetimeSeconds: lifetime('--user-token-lifetime', values['user-token-lifetime']),
        refreshTokenLifetimeSeconds: lifetime('--refresh-token-lifetime', values['refresh-token-lifetime']),
      },
      apps: [app],
    },
  };
}

function filled(flag: string, value: string): string {
  if (value.trim() === '') throw new RangeError(`${flag} must not be empty`);
  return value;
}

function consentMode(value: string): EmulatedConsentMode {
  const mode = CONSENT_MODES.find((known) => known === value);
  if (!mode) throw new RangeError(`--consent must be one of ${CONSENT_MODES.join(', ')}, not '${value}'`);
  return mode;
}

function lifetime(flag: string, value: string): number {
  return wholeNumber(flag, value, 1, YEAR_SECONDS);
}

function wholeNumber(flag: string, value: string, min: number, max: number): number {
  const parsed = Number(value);
  if (!/^\d+$/.test(value) || parsed < min || parsed > max) {
    throw new RangeError(`${flag} must be a whole number from ${min} to ${max}, not '${value}'`);
  }
  return parsed;
}

/**
 * What to read once it runs: where it is, and how to point an application at it.
 *
 * @internal
 */
export function greeting(
  origin: string,
  { appId, appSecret, appType, tenantKeys = [] }: EmulatedApp,
): string {
  const shownSecret = appSecret === DEFAULT_APP_SECRET ? appSecret : '<as given by --app-secret>';
  const isStore = appType === 'store';
  return `Feishu emulator on ${origin}
app ${appId} (${appType ?? 'self-built'}${tenantKeys.length > 0 ? `; tenants: ${tenantKeys.join(', ')}` : ''})

  FeishuAuthModule.forRoot({
    appId: '${appId}',
    appSecret: '${shownSecret}',${isStore ? "\n    appType: 'store'," : ''}
    domain: { open: '${origin}', accounts: '${origin}' },
  })

Ctrl-C stops it.
`;
}
