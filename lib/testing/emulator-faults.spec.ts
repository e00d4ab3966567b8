import { EmulatorFaults } from './emulator-faults.js';

const PATH = '/open-apis/auth/v3/tenant_access_token/internal';

describe('EmulatorFaults', () => {
  it('strikes nothing when there is none, or none for this path', () => {
    const faults = new EmulatorFaults();
    expect(faults.strike(PATH)).toEqual({ latencyMs: 0 });
    faults.add({ path: '/open-apis/im', status: 500 });
    faults.add({ path: /bot/, status: 500 });
    faults.add({ times: 0, status: 500 });
    expect(faults.strike(PATH)).toEqual({ latencyMs: 0 });
  });

  it('takes the first that shapes the answer, and adds up the delays before it', () => {
    const faults = new EmulatorFaults();
    faults.add({ latencyMs: 10 });
    faults.add({ latencyMs: 20, code: 1500 });
    faults.add({ latencyMs: 40, kind: 'hang' });
    expect(faults.strike(PATH)).toMatchObject({ latencyMs: 30, reply: { status: 200, code: 1500 } });
  });

  it('goes on with the next one when one is used up', () => {
    const faults = new EmulatorFaults();
    faults.add({ times: 1, kind: 'reset' });
    faults.add({ times: 1, kind: 'hang' });
    expect([1, 2, 3].map(() => faults.strike(PATH).kind)).toEqual(['reset', 'hang', undefined]);
  });

  it('matches an expression afresh every time, whatever its flags', () => {
    const faults = new EmulatorFaults();
    const fault = faults.add({ path: /internal$/gy, latencyMs: 1 });
    faults.add({ path: /internal$/g, latencyMs: 2 });
    expect([faults.strike(PATH).latencyMs, faults.strike(PATH).latencyMs]).toEqual([2, 2]);
    expect(fault.hits).toBe(0);
  });

  it('sends a status alone as plain text, and a body as it is', () => {
    const faults = new EmulatorFaults();
    faults.add({ times: 1, status: 502 });
    faults.add({ times: 1, body: '{"code":0,' });
    faults.add({ times: 1, code: 42, body: { code: 7 } });
    expect(faults.strike(PATH).reply).toMatchObject({ status: 502, code: -1, body: 'Bad Gateway' });
    expect(faults.strike(PATH).reply).toMatchObject({ status: 200, code: -1, body: '{"code":0,' });
    expect(faults.strike(PATH).reply).toMatchObject({ status: 200, code: 42, body: '{"code":7}' });
  });

  it('is not changed by what happens to the object it was given', () => {
    const faults = new EmulatorFaults();
    const fault = { code: 1500 };
    faults.add(fault);
    fault.code = 0;
    expect(faults.strike(PATH).reply?.code).toBe(1500);
  });
});
