import { createClient, type RedisClientType } from '@redis/client';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from './fleet.js';
import { freePort, HOST, RedisServer } from './redis-server.js';

const NODES = 3;
const SLOTS = 16_384;

/** A node, and a client of the test itself to look into it with. */
export interface ClusterNode {
  readonly id: string;
  readonly server: RedisServer;
  readonly look: RedisClientType;
}

/** A Redis Cluster of the test's own: three nodes with a third of the hash slots each. Needs Redis 7. */
export class RedisCluster {
  private constructor(
    /** Where the nodes write down who they are. */
    private readonly folder: string,
    readonly nodes: readonly ClusterNode[],
  ) {}

  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
    const nodes: ClusterNode[] = [];
    const cluster = new RedisCluster(folder, nodes);
    try {
      while (nodes.length < NODES) nodes.push(await startNode(folder, nodes));
      await cluster.untilComplete();
      return cluster;
    } catch (error) {
      await cluster.end();
      throw error;
    }
  }

  /** Where a client begins to discover the others. */
  get rootNodes(): { url: string }[] {
    return this.nodes.slice(0, 1).map(({ server }) => ({ url: server.url }));
  }

  /** As the server reckons it. */
  slotOf(key: string): Promise<number> {
    return this.first.look.clusterKeySlot(key);
  }

  /** Who has the slot of `key` now. */
  async nodeOf(key: string): Promise<ClusterNode> {
    const slot = await this.slotOf(key);
    const ranges = await this.first.look.clusterSlots();
    const owner = ranges.find(({ from, to }) => from <= slot && slot <= to)?.master.id;
    return this.nodes.find(({ id }) => id === owner) ?? this.first;
  }

  /** Hands the slot of `key`, which must be empty, to another node. Clients learn of it when they are redirected. */
  async moveSlotOf(key: string): Promise<void> {
    const [slot, owner] = [await this.slotOf(key), await this.nodeOf(key)];
    const target = this.nodes.find((node) => node !== owner) ?? this.first;
    for (const { look } of [target, ...this.nodes]) await look.clusterSetSlot(slot, 'NODE', target.id);
  }

  /** Resolves when all nodes agree on who has which slot. */
  untilComplete(): Promise<void> {
    return waitUntil(async () => (await Promise.all(this.nodes.map(knowsAll))).every(Boolean));
  }

  async end(): Promise<void> {
    for (const { look, server } of this.nodes) {
      look.destroy();
      await server.kill();
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private get first(): ClusterNode {
    const [first] = this.nodes;
    if (!first) throw new Error('the cluster has no nodes');
    return first;
  }
}

/** Starts one more, and introduces it to the first. */
async function startNode(folder: string, others: readonly ClusterNode[]): Promise<ClusterNode> {
  const firstSlotOf = (index: number): number => Math.ceil((index * SLOTS) / NODES);
  const index = others.length;
  // By itself it takes the port plus 10 000, which may be taken, or no port at all.
  const busPort = await freePort();
  const server = await RedisServer.start([
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--dir', folder, '--cluster-config-file', `node-${index}.conf`],
  ]);
  const look: RedisClientType = createClient({ url: server.url });
  look.on('error', () => undefined);
  await look.connect();
  await look.clusterAddSlotsRange({ start: firstSlotOf(index), end: firstSlotOf(index + 1) - 1 });
  await others[0]?.look.sendCommand(['CLUSTER', 'MEET', HOST, String(server.port), String(busPort)]);
  return { id: await look.clusterMyId(), server, look };
}

async function knowsAll({ look }: ClusterNode): Promise<boolean> {
  const info = await look.clusterInfo();
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
}
