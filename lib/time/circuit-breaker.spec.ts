import { TestClock } from '../testing/test-clock.js';
import { CircuitBreaker } from './circuit-breaker.js';

describe('CircuitBreaker', () => {
  let clock: TestClock;
  let breaker: CircuitBreaker;

  beforeEach(() => {
    clock = new TestClock();
    breaker = new CircuitBreaker(clock);
  });

  function fail(times: number): void {
    for (let i = 0; i < times; i++) {
      expect(breaker.tryPass()).toBe(true);
      breaker.failed();
    }
  }

  it('lets all operations pass while they succeed', () => {
    for (let i = 0; i < 10; i++) {
      expect(breaker.tryPass()).toBe(true);
      breaker.succeeded();
    }
    expect(breaker.state).toBe('closed');
  });

  it('opens at the third consecutive failure', () => {
    fail(2);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
    expect(breaker.tryPass()).toBe(false);
  });

  it('resets the count after a success', () => {
    fail(2);
    breaker.succeeded();
    fail(2);
    expect(breaker.state).toBe('closed');
  });

  it('lets one probe at a time pass after 5 s', async () => {
    fail(3);
    await clock.advance(4_999);
    expect(breaker.state).toBe('open');
    expect(breaker.tryPass()).toBe(false);
    await clock.advance(1);
    expect(breaker.state).toBe('half-open');
    expect(breaker.tryPass()).toBe(true);
    expect(breaker.state).toBe('half-open');
    expect(breaker.tryPass()).toBe(false);
  });

  it('closes when the probe succeeds', async () => {
    fail(3);
    await clock.advance(5_000);
    expect(breaker.tryPass()).toBe(true);
    breaker.succeeded();
    expect(breaker.state).toBe('closed');
    fail(2);
    expect(breaker.state).toBe('closed');
  });

  it('stays open for another 5 s when the probe fails, and then probes again', async () => {
    fail(3);
    await clock.advance(5_000);
    fail(1);
    expect(breaker.state).toBe('open');
    await clock.advance(4_999);
    expect(breaker.tryPass()).toBe(false);
    await clock.advance(1);
    expect(breaker.tryPass()).toBe(true);
  });

  it('ignores jumps of the wall clock', async () => {
    fail(3);
    clock.jumpWall(3_600_000);
    expect(breaker.state).toBe('open');
    clock.jumpWall(-7_200_000);
    await clock.advance(5_000);
    expect(breaker.state).toBe('half-open');
  });
});
