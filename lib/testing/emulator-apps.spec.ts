import { EmulatorApps } from './emulator-apps.js';
import { EmulatorClock } from './emulator-clock.js';
import { EmulatorTickets } from './emulator-tickets.js';
import { EmulatorTokens } from './emulator-tokens.js';

function setUp(): { apps: EmulatorApps; tickets: EmulatorTickets } {
  const tickets = new EmulatorTickets();
  const policy = { lifetimeSeconds: 7_200, renewalWindowSeconds: 1_800 };
  return { apps: new EmulatorApps(tickets, new EmulatorTokens(new EmulatorClock(), policy)), tickets };
}

describe('EmulatorApps', () => {
  it('gives a store app a ticket from the start, and a self-built app none', () => {
    const { apps } = setUp();
    apps.add({ appId: 'cli_store', appSecret: 's', appType: 'store' });
    apps.add({ appId: 'cli_own', appSecret: 's' });
    expect(apps.ticket('cli_store')).toMatch(/^g[A-Za-z0-9]{32}$/);
    expect(() => apps.ticket('cli_own')).toThrow('cli_own has no app_ticket');
  });

  it('says which app there is none of, and what an app needs', () => {
    const { apps } = setUp();
    expect(() => apps.setSecret('cli_none', 's')).toThrow('there is no app cli_none');
    expect(() => apps.add({ appId: 'cli_a', appSecret: '' })).toThrow(TypeError);
  });

  it('replaces an app that is added again', () => {
    const { apps } = setUp();
    apps.add({ appId: 'cli_a', appSecret: 'one' });
    apps.disable('cli_a');
    apps.add({ appId: 'cli_a', appSecret: 'two', tenantKeys: ['own'] });
    expect(apps.find('cli_a')).toMatchObject({ appSecret: 'two', disabled: false, ownTenantKey: 'own' });
  });
});

describe('EmulatorTickets', () => {
  it('delivers what it pushes, and nothing for an app without a ticket', () => {
    const { tickets } = setUp();
    const delivered: string[] = [];
    tickets.on(({ appTicket }) => delivered.push(appTicket));
    const pushed = tickets.push('cli_store');
    tickets.expire('cli_store');
    tickets.deliver('cli_store');
    expect(delivered).toEqual([pushed]);
    expect(tickets.current('cli_store')).toBeUndefined();
  });
});
