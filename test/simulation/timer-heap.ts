export interface HeapTimer {
  readonly at: number;
  /** Breaks ties: of two timers for one moment the one set first fires first. */
  readonly order: number;
  /** `undefined` once called off: taken out when its turn comes, which is cheaper than searching for it. */
  callback: (() => void) | undefined;
}

/** A binary heap, because a day of a large fleet is tens of millions of timers. */
export class TimerHeap {
  private readonly timers: HeapTimer[] = [];

  get first(): HeapTimer | undefined {
    return this.timers[0];
  }

  push(timer: HeapTimer): void {
    const { timers } = this;
    let index = timers.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = timers[parent] as HeapTimer;
      if (!isBefore(timer, above)) break;
      timers[index] = above;
      index = parent;
    }
    timers[index] = timer;
  }

  /** Takes the first one out. */
  shift(): void {
    const { timers } = this;
    const last = timers.pop();
    if (!last || timers.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= timers.length) break;
      const right = left + 1;
      const isRight =
        right < timers.length && isBefore(timers[right] as HeapTimer, timers[left] as HeapTimer);
      const below = isRight ? right : left;
      const next = timers[below] as HeapTimer;
      if (!isBefore(next, last)) break;
      timers[index] = next;
      index = below;
    }
    timers[index] = last;
  }
}

function isBefore(one: HeapTimer, other: HeapTimer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
