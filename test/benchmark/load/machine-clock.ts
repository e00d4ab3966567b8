import { type DesignClock } from '../designs/design.js';

export const machineClock: DesignClock = {
  now: () => Date.now(),
  setInterval(callback, periodMs) {
    const timer = setInterval(callback, periodMs);
    return { cancel: () => clearInterval(timer) };
  },
};
