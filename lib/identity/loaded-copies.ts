import { Module, type Type } from '@nestjs/common';
import { THIS_COPY } from './this-copy.js';

/**
 * One copy of this package in the process: the ES modules, the CommonJS build, or another version.
 *
 * @internal
 */
export interface LoadedCopy {
  readonly version: string;
  readonly format: string;
  /** Its injectable classes, by the id that is the same in every copy. */
  readonly services: Map<string, Type>;
}

/** The copies that run on one copy of Nest. */
interface Copies {
  readonly all: LoadedCopy[];
  isReported: boolean;
}

const REGISTRY = Symbol.for('nestjs-feishu-auth:loaded-copies');
const shared = globalThis as { [REGISTRY]?: WeakMap<object, Copies> };

// By copy of Nest: an application that was loaded again, as test runners do, has nothing to do with the one before.
const registry = (shared[REGISTRY] ??= new WeakMap());
let copies = registry.get(Module);
if (copies === undefined) registry.set(Module, (copies = { all: [], isReported: false }));
const { all } = copies;
const thisCopy: LoadedCopy = { ...THIS_COPY, services: new Map() };
all.push(thisCopy);

/** Makes a class of this copy known to the others. @internal */
export function registerService(id: string, service: Type): void {
  thisCopy.services.set(id, service);
}

/** The classes that other copies have under this id. @internal */
export function sameServiceOfOtherCopies(id: string): Type[] {
  return all.filter((copy) => copy !== thisCopy).flatMap((copy) => copy.services.get(id) ?? []);
}

/** All copies, if there are several; once a process, for the first copy that asks. @internal */
export function takeCopiesToReport(): readonly LoadedCopy[] | undefined {
  if (copies === undefined || copies.isReported || all.length < 2) return undefined;
  copies.isReported = true;
  return all;
}
