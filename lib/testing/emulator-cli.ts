import { parseArgs } from 'node:util';
import { type EmulatedApp } from './emulator-apps.js';
import { type FeishuEmulatorOptions } from './feishu-emulator.options.js';

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

/** @internal */
export const CLI_HELP = `Usage: feishu-emulator [options]

A Feishu / Lark platform on this machine, for trying out an application without credentials.

  --port <number>            where to listen (default: any free port)
  --app-id <id>              the app it knows (default: ${DEFAULT_APP_ID})
  --app-secret <secret>      that app's secret (default: ${DEFAULT_APP_SECRET})
  --store                    the app is a store (ISV) app; default: self-built
  --tenant <tenant key>      a tenant that installed the app; may be given more than once with --store
  --token-lifetime <seconds> how long a token lives (default: 7200)
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
  };
  return {
    kind: 'start',
    app,
    options: {
      port: wholeNumber('--port', values.port, 0, 65_535),
      tokenLifetimeSeconds: wholeNumber('--token-lifetime', values['token-lifetime'], 1, 86_400 * 365),
      apps: [app],
    },
  };
}

function filled(flag: string, value: string): string {
  if (value.trim() === '') throw new RangeError(`${flag} must not be empty`);
  return value;
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
