import { AsyncLocalStorage } from 'node:async_hooks';

/** The keys whose flights the current code runs within: a custom fetch that asks for its own token is found out. */
export const flightContext = new AsyncLocalStorage<ReadonlySet<string>>();
