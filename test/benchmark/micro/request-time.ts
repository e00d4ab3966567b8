import { type AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AskerCalls } from '../load/asker.js';
import { Helper } from '../load/rpc.js';

@Controller()
class BareController {
  @Get()
  bare(): object {
    return { done: true };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

/** What a request to a Nest application takes that does nothing, asked from another process: nanoseconds, a round each. */
export async function requestTimes(rounds: number, count: number): Promise<number[]> {
  const app = await NestFactory.create(BareModule, { logger: false, abortOnError: false });
  const asker = new Helper<AskerCalls>(new URL('../load/asker.js', import.meta.url));
  try {
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const url = `http://127.0.0.1:${port}/`;
    // Not counted: both sides warm up.
    await asker.call('ask', { url, count });
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await asker.call('ask', { url, count }));
    return times;
  } finally {
    await asker.stop();
    await app.close();
  }
}
