import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ReplicaFigures, type ReplicaMessage } from './messages.js';

const SCRIPT = fileURLToPath(new URL('./replica.js', import.meta.url));
const NOTHING: ReplicaFigures = {
  reads: 0,
  waited: 0,
  failed: 0,
  refused: 0,
  platformCalls: 0,
  adopted: 0,
  lockWaits: 0,
  slowestReadMs: 0,
  health: '',
};

/** One process of the fleet, seen from the one that started it. */
export class ReplicaProcess {
  figures = NOTHING;
  isKilled = false;
  /** Told when the process asks the platform for a token: from then on it holds the lock. */
  onAsking: () => void = () => undefined;
  private isReady = false;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (message: ReplicaMessage) => {
      if ('figures' in message) this.figures = message.figures;
      else if ('asking' in message) this.onAsking();
      else this.isReady = true;
    });
  }

  static async start(name: string, environment: Record<string, string>): Promise<ReplicaProcess> {
    const child = fork(SCRIPT, [], { env: { ...process.env, ...environment } });
    const replica = new ReplicaProcess(name, child);
    while (!replica.isReady) {
      const [code] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
      if (child.exitCode !== null) throw new Error(`process ${name} ended with status ${String(code)}`);
    }
    return replica;
  }

  /** From now on it reads. */
  go(): void {
    this.child.send('go');
  }

  kill(): void {
    this.isKilled = true;
    this.child.kill('SIGKILL');
  }
}
