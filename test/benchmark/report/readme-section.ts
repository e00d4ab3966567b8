import { type Run } from '../run.js';
import { duration, figure, times } from './figures.js';

/** For the README: the five most important figures, and how to measure them again. */
export function readmeSection({ details, machine }: Run): string {
  const { readPath, stampede, day, growth } = details;
  const ns = (id: string): number =>
    readPath?.results.find((it) => it.id === id)?.nsPerRead.median ?? Number.NaN;
  const cold = (id: string): string => {
    const most = stampede?.peers.find((it) => it.id === id)?.sizes.at(-1);
    return most ? figure(most.platformCalls.median) : '?';
  };
  const callers = stampede?.peers[0]?.sizes.at(-1)?.callers ?? Number.NaN;
  const [ours, hourly] = ['module', 'prewarmed'].map((id) => day?.designs.find((it) => it.id === id));
  const heap = growth?.points.find(({ tenants }) => tenants === 10_000)?.heapBytesPerTenant?.median;
  const sdk = readPath?.ratios.peers['lark-sdk']?.median ?? Number.NaN;
  const wrap = readPath?.ratios.peers['cache-manager']?.median ?? Number.NaN;
  return `## Measured

- **${duration(ns('peek'))}** for \`handle.peek()\`, with **0 bytes** allocated; **${duration(ns('module'))}** for \`await getTenantAccessToken()\`.
- **${times(sdk)}** faster than the official SDK's warm read, **${times(wrap)}** faster than \`cache-manager\`'s \`wrap()\`.
- **${cold('module')} request** to Feishu for ${figure(callers)} cold callers; the official SDK sends ${cold('lark-sdk')}.
- **${figure(ours?.waited ?? Number.NaN)} reads** of a simulated day waited for a renewal; with an hourly pre-warm ${figure(hourly?.waited ?? Number.NaN)} of ${figure(hourly?.reads ?? Number.NaN)} do.
- **${figure(heap ?? Number.NaN)} bytes** of heap for each tenant, everything included.

On ${machine.cpu} with Node ${machine.node}. \`npm run bench\` measures it on your machine in less than two minutes.
The [benchmarks](docs/benchmarks.md) have the rest, and how such figures could mislead.
`;
}
