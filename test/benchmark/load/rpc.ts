import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a process can be asked for. Arguments and answers go through JSON. */
export type Calls = Record<string, (...argument: never[]) => unknown>;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}
type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly progress: string };

interface Settle {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Another process of the benchmark: what must not share an event loop, or a heap, with what is measured. */
export class Helper<C extends Calls> {
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, Settle>();
  private asked = 0;

  constructor(script: URL, flags: readonly string[] = [], onProgress?: (text: string) => void) {
    this.child = fork(script, { execArgv: [...flags] });
    this.child.on('message', (answer: Answer) => {
      if ('progress' in answer) onProgress?.(answer.progress);
      else if ('error' in answer) this.take(answer.id)?.reject(new Error(answer.error));
      else this.take(answer.id)?.resolve(answer.result);
    });
    this.child.on('exit', (code) => {
      for (const { reject } of this.pending.values()) reject(new Error(`a helper ended with code ${code}`));
    });
  }

  call<M extends keyof C & string>(
    method: M,
    ...[argument]: Parameters<C[M]>
  ): Promise<Awaited<ReturnType<C[M]>>> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: (result) => resolve(result as Awaited<ReturnType<C[M]>>), reject });
      this.child.send({ id, method, argument } satisfies Request);
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  private take(id: number): Settle | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }
}

/** The other side: answers what the parent asks, and ends with it. */
export function serve(calls: Calls): void {
  const say = (answer: Answer): void => void process.send?.(answer);
  const answer = async ({ id, method, argument }: Request): Promise<void> => {
    try {
      const call = calls[method];
      if (!call) throw new Error(`no such call: ${method}`);
      say({ id, result: (await call(argument as never)) ?? null });
    } catch (error) {
      say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on('message', (request: Request) => void answer(request));
  process.on('disconnect', () => process.exit());
}

/** Tells the parent how far it is. */
export function progress(text: string): void {
  process.send?.({ progress: text } satisfies Answer);
}
