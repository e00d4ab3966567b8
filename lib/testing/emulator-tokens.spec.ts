import { EmulatorClock } from './emulator-clock.js';
import { type EmulatedIdentity, EmulatorTokens } from './emulator-tokens.js';

const APP: EmulatedIdentity = { kind: 'app', appId: 'cli_a' };
const TENANT: EmulatedIdentity = { kind: 'tenant', appId: 'cli_a', tenantKey: 'tenant_a' };

function setUp(
  lifetimeSeconds = 7_200,
  renewalWindowSeconds = 1_800,
): { clock: EmulatorClock; tokens: EmulatorTokens } {
  const clock = new EmulatorClock();
  clock.freeze();
  return { clock, tokens: new EmulatorTokens(clock, { lifetimeSeconds, renewalWindowSeconds }) };
}

describe('EmulatorTokens', () => {
  it('issues the same token with a smaller expire down to the 30 minutes, then a new one', () => {
    const { clock, tokens } = setUp();
    const { value } = tokens.issue(TENANT, 't-');
    clock.advance(5_399_500);
    expect(tokens.issue(TENANT, 't-')).toEqual({ value, expire: 1_800 });
    clock.advance(500);
    expect(tokens.issue(TENANT, 't-')).toEqual({ value, expire: 1_800 });
    clock.advance(1);
    expect(tokens.issue(TENANT, 't-')).toEqual({ value: expect.not.stringMatching(value), expire: 7_200 });
  });

  it('rounds what remains down', () => {
    const { clock, tokens } = setUp();
    tokens.issue(TENANT, 't-');
    clock.advance(1);
    expect(tokens.issue(TENANT, 't-').expire).toBe(7_199);
  });

  it('keeps the old and the new token alive until each one’s own end', () => {
    const { clock, tokens } = setUp();
    const old = tokens.issue(TENANT, 't-').value;
    clock.advance(6_000_000);
    const renewed = tokens.issue(TENANT, 't-').value;
    expect([tokens.isLive(old), tokens.isLive(renewed)]).toEqual([true, true]);
    clock.advance(1_200_000);
    expect([tokens.isLive(old), tokens.isLive(renewed)]).toEqual([false, true]);
  });

  it('never says that nothing remains of a token it hands out', () => {
    const { clock, tokens } = setUp(10, 0);
    const { value } = tokens.issue(TENANT, 't-');
    clock.advance(9_001);
    expect(tokens.issue(TENANT, 't-')).toEqual({ value: expect.not.stringMatching(value), expire: 10 });
  });

  it('tells kinds, apps and tenants apart', () => {
    const { tokens } = setUp();
    const identities: EmulatedIdentity[] = [
      APP,
      TENANT,
      { ...TENANT, tenantKey: 'tenant_b' },
      { ...TENANT, appId: 'cli_b' },
      { kind: 'tenant', appId: 'cli_a' },
    ];
    const values = identities.map((identity) => tokens.issue(identity, 't-').value);
    expect(new Set(values).size).toBe(identities.length);
    expect(values.map((value) => tokens.identify(value))).toEqual(identities);
  });

  it('revokes for good, or for everybody but its own token endpoint', () => {
    const { tokens } = setUp();
    const first = tokens.issue(TENANT, 't-').value;
    tokens.revoke(first);
    const second = tokens.issue(TENANT, 't-').value;
    expect(second).not.toBe(first);
    tokens.revoke(second, { sticky: true });
    expect(tokens.isLive(second)).toBe(false);
    expect(tokens.issue(TENANT, 't-').value).toBe(second);
  });

  it('leaves the current token alone when an older one is revoked', () => {
    const { clock, tokens } = setUp();
    const old = tokens.issue(TENANT, 't-').value;
    clock.advance(6_000_000);
    const renewed = tokens.issue(TENANT, 't-').value;
    tokens.revoke(old);
    expect(tokens.issue(TENANT, 't-').value).toBe(renewed);
    expect(tokens.isLive(renewed)).toBe(true);
  });

  it('revokes one tenant’s tokens and nobody else’s', () => {
    const { tokens } = setUp();
    const values = [APP, TENANT, { ...TENANT, tenantKey: 'tenant_b' }].map(
      (id) => tokens.issue(id, 't-').value,
    );
    tokens.revokeTenant('cli_a', 'tenant_a');
    expect(values.map((value) => tokens.isLive(value))).toEqual([true, false, true]);
  });

  it('forgets tokens that have ended, so that a long soak does not fill the memory', () => {
    const { clock, tokens } = setUp(60);
    const first = tokens.issue(TENANT, 't-').value;
    clock.advance(60_000);
    expect(tokens.identify(first)).toEqual(TENANT);
    tokens.issue(TENANT, 't-');
    expect(tokens.identify(first)).toBeUndefined();
  });
});
