import { type DesignEntry } from './design.js';
import { ExclusiveMutexDesign } from './exclusive-mutex.js';
import { PrewarmedDesign } from './prewarmed.js';
import { ReadersWriterDesign } from './readers-writer.js';
import { SingleFlightDesign } from './single-flight.js';
import { ThisModuleDesign } from './this-module.js';

/** The designs that the project descends from, what their plan promised, and the module. */
export const DESIGNS: readonly DesignEntry[] = [
  { id: 'mutex', name: '(0) one mutex', build: async (setup) => new ExclusiveMutexDesign(setup) },
  {
    id: 'readers-writer',
    name: '(1) readers-writer lock',
    predicted: { throughput: 300, latency: -70 },
    build: async (setup) => new ReadersWriterDesign(setup),
  },
  {
    id: 'single-flight',
    name: '(2) single flight',
    predicted: { throughput: 200, latency: -50 },
    build: async (setup) => new SingleFlightDesign(setup),
  },
  {
    id: 'prewarmed',
    name: '(3) single flight, hourly pre-warm',
    predicted: { throughput: 500, latency: -90 },
    build: async (setup) => new PrewarmedDesign(setup),
  },
  { id: 'module', name: 'this module', build: (setup) => ThisModuleDesign.build(setup) },
];
