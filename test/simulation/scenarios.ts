import { type Scenario } from './fleet-simulation.js';

/** A working day: an hour of outage in the morning, a rolling deployment in the evening. */
const DAY: Scenario['phases'] = [
  { name: 'cold start', minutes: 30 },
  { name: 'steady', minutes: 9 * 60 },
  { name: 'outage', minutes: 60 },
  { name: 'recovery', minutes: 60 },
  { name: 'steady', minutes: 7 * 60 },
  { name: 'restart', minutes: 60 },
  { name: 'steady', minutes: 4.5 * 60 },
];

/** The same in short: about four lifetimes of a token. */
const SIX_HOURS: Scenario['phases'] = [
  { name: 'cold start', minutes: 30 },
  { name: 'steady', minutes: 150 },
  { name: 'outage', minutes: 60 },
  { name: 'recovery', minutes: 60 },
  { name: 'restart', minutes: 60 },
];

type Size = Omit<Scenario, 'lock'>;

export const SIZES = {
  small: [
    { processes: 20, tenants: 5, seed: 1, phases: SIX_HOURS },
    { processes: 10, tenants: 50, seed: 1, phases: SIX_HOURS },
  ],
  medium: [
    { processes: 1_000, tenants: 10, seed: 1, phases: DAY },
    { processes: 10, tenants: 1_000, seed: 1, phases: DAY },
  ],
  full: [
    { processes: 1_000, tenants: 100, seed: 1, phases: DAY },
    { processes: 10, tenants: 10_000, seed: 1, phases: DAY },
  ],
} satisfies Record<string, readonly Size[]>;
