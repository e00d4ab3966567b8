import { progress, serve } from './load/rpc.js';
import { type SectionResult } from './metric.js';
import { type SectionName, SECTIONS } from './sections/index.js';
import { type Size } from './sizes.js';

const calls = {
  run({ name, size }: { name: SectionName; size: Size }): Promise<SectionResult> {
    return SECTIONS[name](size, progress);
  },
};

export type SectionCalls = typeof calls;

serve(calls);
