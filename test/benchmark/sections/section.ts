import { type SectionResult } from '../metric.js';
import { type Size } from '../sizes.js';

/** One part of the benchmark; runs in a process of its own. */
export type Section<Details> = (
  size: Size,
  onProgress: (text: string) => void,
) => Promise<SectionResult<Details>>;
