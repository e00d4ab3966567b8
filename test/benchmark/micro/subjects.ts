import { TokenService } from 'nestjs-feishu-auth';
import { type HostedPlatform } from '../load/platform.js';
import { PEERS } from '../peers/index.js';
import { type Peer } from '../peers/peer.js';
import { startModule } from '../peers/this-module.js';
import { floors } from './floors.js';
import { interceptorLoops } from './interceptor.js';
import { moduleLoops } from './module-loops.js';
import { type ReadLoop } from './read-loop.js';

/** Of a peer: few enough that what they allocate fits into the young generation. */
const PEER_BATCH = 400;

export const SUBJECTS: readonly string[] = ['floors', 'module', ...PEERS.map(({ id }) => id), 'interceptor'];

/** The loops of one subject, warm: the token is there. */
export async function loopsOf(subject: string, platform: HostedPlatform): Promise<ReadLoop[]> {
  if (subject === 'floors') return floors();
  const peer = PEERS.find(({ id }) => id === subject);
  if (peer) return peerLoops(peer, platform);
  const app = await startModule(platform);
  const tokens = app.get(TokenService);
  await tokens.getTenantAccessToken();
  return subject === 'interceptor' ? interceptorLoops(app) : moduleLoops(tokens);
}

async function peerLoops(peer: Peer, platform: HostedPlatform): Promise<ReadLoop[]> {
  const tokens = await peer.build(platform);
  const { id, name } = peer;
  await tokens.readMany(1);
  return [{ id, name, batch: PEER_BATCH, run: (count) => tokens.readMany(count) }];
}
