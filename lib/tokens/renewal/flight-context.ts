import { AsyncLocalStorage } from 'node:async_hooks';

/** The keys whose flights the current code belongs to. It exposes a custom fetch that asks for its own token. */
export const flightContext = new AsyncLocalStorage<ReadonlySet<string>>();

let underWay = 0;

/** A flight of any instance began. */
export function flightBegan(): void {
  underWay++;
}

/** A flight ended. Between flights the context is off: on Node 20 and 22 it doubles the cost of every await. */
export function flightEnded(): void {
  if (--underWay === 0) flightContext.disable();
}
