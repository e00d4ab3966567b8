import { getEventListeners } from 'node:events';
import { withSignal } from './deadline.js';
import { onAbort } from './on-abort.js';
import { SystemClock } from './system-clock.js';

describe('onAbort()', () => {
  let controller: AbortController;
  let calls: string[];
  beforeEach(() => {
    controller = new AbortController();
    calls = [];
  });
  const listeners = (): number => getEventListeners(controller.signal, 'abort').length;

  it('calls every callback once when the signal is aborted', () => {
    onAbort(controller.signal, () => calls.push('a'));
    onAbort(controller.signal, () => calls.push('b'));
    controller.abort();
    controller.abort();
    expect(calls).toEqual(['a', 'b']);
    expect(listeners()).toBe(0);
  });

  it('calls back at once if the signal is aborted already', () => {
    controller.abort();
    onAbort(controller.signal, () => calls.push('a'))();
    expect(calls).toEqual(['a']);
  });

  it('removes one callback and keeps the others', () => {
    const callback = (): void => void calls.push('same');
    const remove = onAbort(controller.signal, callback);
    onAbort(controller.signal, callback);
    remove();
    remove();
    controller.abort();
    expect(calls).toEqual(['same']);
  });

  it('stops listening when the last callback is removed', () => {
    const removes = [1, 2].map(() => onAbort(controller.signal, () => undefined));
    expect(listeners()).toBe(1);
    for (const remove of removes) remove();
    expect(listeners()).toBe(0);
  });

  it('lets a callback that was removed by another one run no more than once', () => {
    const remove = onAbort(controller.signal, () => calls.push('first'));
    onAbort(controller.signal, () => remove());
    controller.abort();
    expect(calls).toEqual(['first']);
  });

  it('E6 makes Node warn of no leak, however many callers wait on one signal', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = controller;
    const clock = new SystemClock();
    const waiting = Array.from({ length: 20 }, () => withSignal(new Promise(() => undefined), signal));
    const sleeping = Array.from({ length: 20 }, () => clock.sleep(60_000, signal));
    expect(listeners()).toBe(1);
    controller.abort(new Error('enough'));
    await Promise.allSettled([...waiting, ...sleeping]);
    // Node emits a warning in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
