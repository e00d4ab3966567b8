import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { quantile } from '../statistics.js';
import { serve } from './rpc.js';

const calls = {
  /** The median time of `count` requests, one after the other over one connection, in nanoseconds. */
  async ask({ url, count }: { url: string; count: number }): Promise<number> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      times.push((performance.now() - start) * 1e6);
    }
    agent.destroy();
    return quantile(times, 0.5);
  },
};

export type AskerCalls = typeof calls;

serve(calls);
