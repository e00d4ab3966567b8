import { Mutex } from './mutex.js';
import { ReadersWriterLock } from './readers-writer-lock.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Mutex', () => {
  it('lets one in at a time, in the order in which they came', async () => {
    const mutex = new Mutex();
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      await mutex.lock();
      order.push(`${name} in`);
      await turn();
      order.push(`${name} out`);
      mutex.unlock();
    };
    await Promise.all(['a', 'b', 'c'].map(work));
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    expect(mutex.lock()).toBeUndefined();
  });

  it('lets everybody in when thousands wait', async () => {
    const mutex = new Mutex();
    let entered = 0;
    const work = async (): Promise<void> => {
      await mutex.lock();
      entered++;
      mutex.unlock();
    };
    await Promise.all(Array.from({ length: 10_000 }, work));
    expect(entered).toBe(10_000);
  });
});

describe('ReadersWriterLock', () => {
  it('lets readers in together', () => {
    const lock = new ReadersWriterLock();
    expect([lock.lockRead(), lock.lockRead()]).toEqual([undefined, undefined]);
  });

  it('keeps a writer alone, and before readers that came later', async () => {
    const lock = new ReadersWriterLock();
    const order: string[] = [];
    const enter = (name: string, entry: Promise<void> | undefined): void =>
      void Promise.resolve(entry).then(() => order.push(name));
    enter('reader', lock.lockRead());
    enter('writer', lock.lockWrite());
    enter('late reader', lock.lockRead());
    await turn();
    expect(order).toEqual(['reader']);
    lock.unlockRead();
    await turn();
    expect(order).toEqual(['reader', 'writer']);
    lock.unlockWrite();
    await turn();
    expect(order).toEqual(['reader', 'writer', 'late reader']);
  });
});
