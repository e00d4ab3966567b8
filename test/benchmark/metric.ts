import { type Spread } from './statistics.js';

/** One figure of a run under a name that stays the same from run to run, for the comparison of two. */
export interface Metric {
  readonly id: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  readonly spread: Spread;
}

/** What one section found: its figures, and what its tables and plots are drawn from. */
export interface SectionResult<Details = unknown> {
  readonly metrics: readonly Metric[];
  readonly details: Details;
}
