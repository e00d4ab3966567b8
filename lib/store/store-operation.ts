import { AsyncLocalStorage } from 'node:async_hooks';

export type OperationKind = 'read' | 'write';

/** One operation on the cache. cache-manager and Keyv hide its fault and report it by an event instead. */
export class StoreOperation {
  /** What an event reported in the course of the operation. */
  fault: unknown;
  private isOver = false;

  /** Starts `work`, in whose course {@link current} is this operation. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    running++;
    return context.run(this, async () => work());
  }

  /** Later events do not belong to the operation. */
  end(): void {
    this.isOver = true;
    // On Node 20 and 22 a context that is enabled slows down every await of the process.
    if (--running === 0) context.disable();
  }

  /** The operation in whose course an event is emitted; `undefined` for an event that is not ours. */
  static current(): StoreOperation | undefined {
    const operation = context.getStore();
    return operation?.isOver ? undefined : operation;
  }
}

const context = new AsyncLocalStorage<StoreOperation>();
let running = 0;
