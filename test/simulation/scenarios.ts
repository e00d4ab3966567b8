import { type Scenario } from './fleet-simulation.js';

/** What happens one after the other. */
export const TIMELINES = {
  /** The outage begins shortly before most tokens are due and outlasts them: an hour of it at the worst moment. */
  day: [
    { name: 'cold start', minutes: 30 },
    { name: 'steady', minutes: 590 },
    { name: 'outage', minutes: 60 },
    { name: 'recovery', minutes: 60 },
    { name: 'steady', minutes: 370 },
    { name: 'restart', minutes: 60 },
    { name: 'steady', minutes: 270 },
  ],
  /** The same in short. */
  'six-hours': [
    { name: 'cold start', minutes: 30 },
    { name: 'steady', minutes: 135 },
    { name: 'outage', minutes: 60 },
    { name: 'recovery', minutes: 75 },
    { name: 'restart', minutes: 60 },
  ],
  /** Every token is fetched, and renewed once. */
  rotation: [
    { name: 'cold start', minutes: 30 },
    { name: 'steady', minutes: 90 },
  ],
} satisfies Record<string, Scenario['phases']>;

export const SIZES = {
  small: [
    { processes: 20, tenants: 5 },
    { processes: 10, tenants: 50 },
  ],
  full: [
    { processes: 1_000, tenants: 100 },
    { processes: 10, tenants: 10_000 },
  ],
} satisfies Record<string, readonly Pick<Scenario, 'processes' | 'tenants'>[]>;
