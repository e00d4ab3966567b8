import { Injectable, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { findSchedulerRegistry } from './scheduler-registry.js';

describe('findSchedulerRegistry', () => {
  it('finds the registry of ScheduleModule', async () => {
    const module = await Test.createTestingModule({ imports: [ScheduleModule.forRoot()] }).compile();
    expect(findSchedulerRegistry(module.get(ModulesContainer))).toBe(module.get(SchedulerRegistry));
    await module.close();
  });

  it('finds what a test put in its place', async () => {
    const fake = new SchedulerRegistry();
    const module = await Test.createTestingModule({ imports: [ScheduleModule.forRoot()] })
      .overrideProvider(SchedulerRegistry)
      .useValue(fake)
      .compile();
    expect(findSchedulerRegistry(module.get(ModulesContainer))).toBe(fake);
    await module.close();
  });

  it('finds none without ScheduleModule, and runs no code of the providers that it passes', async () => {
    @Injectable()
    class Touchy {
      get doesExist(): never {
        throw new Error('a getter of the application was called');
      }
    }
    const guarded = new Proxy(
      {},
      {
        get: (_, property) => {
          if (property === 'addInterval') throw new Error('a proxy of the application was asked');
        },
      },
    );
    @Module({ providers: [Touchy, { provide: 'guarded', useValue: guarded }] })
    class HostModule {}
    const module = await Test.createTestingModule({ imports: [HostModule] }).compile();
    expect(findSchedulerRegistry(module.get(ModulesContainer))).toBeUndefined();
    await module.close();
  });
});
