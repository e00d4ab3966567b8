import { Global, Injectable, Module } from '@nestjs/common';
import { Interval, SchedulerRegistry } from '@nestjs/schedule';
import { type TestingModule } from '@nestjs/testing';
import { jest } from '@jest/globals';
import { TokenService } from '../lib/index.js';
import { until } from './fixtures/feishu-platform.js';
import { type InstanceOptions, PrewarmedApps } from './fixtures/prewarmed-apps.js';

const JOB = 'feishu-auth:default:prewarm';

const apps = new PrewarmedApps();

describe('the pre-warm interval', () => {
  const off: InstanceOptions = { prewarm: { onBootstrap: 'off' } };
  const jobs = (app: TestingModule): string[] => app.get(SchedulerRegistry, { strict: false }).getIntervals();

  it("is in the host's registry under its documented name, and is removed by the close", async () => {
    const app = await apps.start({ instances: [off], scheduled: true });
    expect(jobs(app)).toEqual([JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('is removed by the module itself, not by ScheduleModule', async () => {
    @Global()
    @Module({ providers: [SchedulerRegistry], exports: [SchedulerRegistry] })
    class BareRegistryModule {}
    const app = await apps.start({ instances: [off], imports: [BareRegistryModule] });
    expect(jobs(app)).toEqual([JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('exists once for each instance', async () => {
    const app = await apps.start({ instances: [off, { ...off, name: 'b' }], scheduled: true });
    expect(jobs(app).toSorted((a, b) => a.localeCompare(b))).toEqual(['feishu-auth:b:prewarm', JOB]);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  it('does not exist with prewarm: false', async () => {
    const app = await apps.start({ instances: [{ prewarm: false }], scheduled: true });
    expect(jobs(app)).toEqual([]);
  });

  it('can be deleted by the host without an error at the close', async () => {
    const app = await apps.start({ instances: [off], scheduled: true });
    app.get(SchedulerRegistry, { strict: false }).deleteInterval(JOB);
    await app.close();
    expect(jobs(app)).toEqual([]);
  });

  describe('beside intervals of the host', () => {
    const PERIOD_MS = 10_000;
    let ticks = 0;

    @Injectable()
    class HostJobs {
      @Interval('host', PERIOD_MS)
      tick(): void {
        ticks++;
      }
    }

    beforeEach(() => {
      ticks = 0;
      const real = ['Date', 'performance', 'nextTick', 'queueMicrotask', 'setImmediate'] as const;
      jest.useFakeTimers({ doNotFake: [...real, 'clearImmediate', 'setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it("lets the host's interval run once per period, and sweeps by its interval", async () => {
      const app = await apps.start({ instances: [off], scheduled: true, providers: [HostJobs] });
      expect(new Set(jobs(app))).toEqual(new Set(['host', JOB]));
      await jest.advanceTimersByTimeAsync(6 * PERIOD_MS);
      expect(ticks).toBe(6);
      await until(() => app.get(TokenService).metrics().prewarm.sweeps === 2);
      await app.close();
      expect(jest.getTimerCount()).toBe(0);
    });

    it('runs without ScheduleModule too, and ends with the application', async () => {
      const app = await apps.start({ instances: [off] });
      expect(() => app.get(SchedulerRegistry, { strict: false })).toThrow(/could not find/i);
      await jest.advanceTimersByTimeAsync(90_000);
      await until(() => app.get(TokenService).metrics().prewarm.sweeps === 3);
      await app.close();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});
