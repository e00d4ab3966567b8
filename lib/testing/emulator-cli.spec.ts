import { greeting, parseCommandLine } from './emulator-cli.js';

describe('the command line', () => {
  it('starts a self-built app on a free port when nothing is said', () => {
    expect(parseCommandLine([])).toEqual({
      kind: 'start',
      app: { appId: 'cli_emulator', appSecret: 'emulator-secret', appType: 'self-built', tenantKeys: [] },
      options: {
        port: 0,
        tokenLifetimeSeconds: 7_200,
        users: [{ openId: 'ou_emulator' }],
        oauth: {
          consent: 'page',
          accessTokenLifetimeSeconds: 7_200,
          refreshTokenLifetimeSeconds: 604_800,
        },
        apps: [expect.objectContaining({ appId: 'cli_emulator' })],
      },
    });
  });

  it('takes every flag', () => {
    const flags =
      '--port 8765 --app-id cli_a --app-secret s --store --tenant t1 --tenant t2 --token-lifetime 60';
    expect(parseCommandLine(flags.split(' '))).toMatchObject({
      app: { appId: 'cli_a', appSecret: 's', appType: 'store', tenantKeys: ['t1', 't2'] },
      options: { port: 8_765, tokenLifetimeSeconds: 60 },
    });
  });

  it('takes users, redirect URIs and how a login goes', () => {
    const flags =
      '--user ou_a --user ou_b --redirect-uri http://localhost:3000/cb --consent approve --user-token-lifetime 20 --refresh-token-lifetime 60';
    expect(parseCommandLine(flags.split(' '))).toMatchObject({
      app: { redirectUris: ['http://localhost:3000/cb'] },
      options: {
        users: [{ openId: 'ou_a' }, { openId: 'ou_b' }],
        oauth: { consent: 'approve', accessTokenLifetimeSeconds: 20, refreshTokenLifetimeSeconds: 60 },
      },
    });
  });

  it('helps, whatever else is asked', () => {
    expect(parseCommandLine(['--port', 'x', '-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [['--port', '70000'], '--port must be a whole number from 0 to 65535'],
    [['--port', '1e3'], "not '1e3'"],
    [['--token-lifetime', '0'], '--token-lifetime must be a whole number from 1'],
    [['--consent', 'maybe'], "--consent must be one of page, approve, deny, not 'maybe'"],
    [['--user', ''], '--user must not be empty'],
    [['--app-id', ''], '--app-id must not be empty'],
    [['--tenant', 'a', '--tenant', 'b'], 'a self-built app has one tenant'],
    [['--prot', '1'], "'--prot'"],
    [['serve'], "'serve'"],
  ])('refuses %p', (args, message) => {
    expect(parseCommandLine(args)).toEqual({ kind: 'mistake', message: expect.stringContaining(message) });
  });

  it('says how to point an application at it, without the secret', () => {
    const app = { appId: 'cli_a', appSecret: 'hush', appType: 'store' as const, tenantKeys: ['t1'] };
    const said = greeting('http://127.0.0.1:1', app);
    expect(said).toContain("domain: { open: 'http://127.0.0.1:1', accounts: 'http://127.0.0.1:1' }");
    expect(said).toContain("appType: 'store'");
    expect(said).toContain('tenants: t1');
    expect(said).not.toContain('hush');
    expect(greeting('http://127.0.0.1:1', { appId: 'cli_b', appSecret: 'hush' })).toContain(
      'app cli_b (self-built)',
    );
  });
});
