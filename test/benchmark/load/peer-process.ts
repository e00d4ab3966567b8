import { PEERS } from '../peers/index.js';
import { type Peer } from '../peers/peer.js';
import { THIS_MODULE } from '../peers/this-module.js';
import { type HostedPlatform } from './platform.js';
import { serve } from './rpc.js';

export interface ColdOrder {
  readonly id: string;
  readonly platform: HostedPlatform;
  readonly callers: number;
}

export interface ColdAnswers {
  /** Until the last of them had a token. */
  readonly lastAnswerMs: number;
  /** Callers that got an error instead. */
  readonly failed: number;
}

function peerOf(id: string): Peer {
  const peer = [THIS_MODULE, ...PEERS].find((it) => it.id === id);
  if (!peer) throw new Error(`no such peer: ${id}`);
  return peer;
}

/** One peer, alone in its process, each time anew: no token yet, and nothing that another one left behind. */
const calls = {
  async cold({ id, platform, callers }: ColdOrder): Promise<ColdAnswers> {
    const tokens = await peerOf(id).build(platform);
    globalThis.gc?.();
    const start = performance.now();
    const answers = await Promise.allSettled(Array.from({ length: callers }, () => tokens.get()));
    const lastAnswerMs = performance.now() - start;
    await tokens.close();
    return { lastAnswerMs, failed: answers.filter(({ status }) => status === 'rejected').length };
  },
};

export type PeerCalls = typeof calls;

serve(calls);
