import { AsyncLocalStorage } from 'node:async_hooks';

/** The keys whose flights the current code runs within: a custom fetch that asks for its own token is found out. */
export const flightContext = new AsyncLocalStorage<ReadonlySet<string>>();

let underWay = 0;

/** A flight began, of any instance. */
export function flightBegan(): void {
  underWay++;
}

/** A flight is over. Between flights the context is off: on Node 20 and 22, one that is on doubles the cost of every await. */
export function flightEnded(): void {
  if (--underWay === 0) flightContext.disable();
}
