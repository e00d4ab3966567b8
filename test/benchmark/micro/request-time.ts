import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { quantile } from '../statistics.js';
import { Helper, serve } from '../load/rpc.js';

@Controller()
class BareController {
  @Get()
  bare(): object {
    return { done: true };
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const client = {
  /** The median time of `count` requests, one after the other over one connection, in nanoseconds. */
  async ask({ url, count }: { url: string; count: number }): Promise<number> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = process.hrtime.bigint();
      const request = get(url, { agent }, (response) => response.resume());
      const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
      await once(response, 'end');
      times.push(Number(process.hrtime.bigint() - start));
    }
    agent.destroy();
    return quantile(times, 0.5);
  },
};

/** What a request to a Nest application takes that does nothing, asked from another process: nanoseconds, a round each. */
export async function requestTimes(rounds: number, count: number): Promise<number[]> {
  const app = await NestFactory.create<INestApplication>(BareModule, { logger: false });
  const asking = new Helper<typeof client>(new URL(import.meta.url));
  try {
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    const times: number[] = [];
    for (let round = 0; round < rounds; round++)
      times.push(await asking.call('ask', { url: `http://127.0.0.1:${port}/`, count }));
    return times;
  } finally {
    await asking.stop();
    await app.close();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) serve(client);
