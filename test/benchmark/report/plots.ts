import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { type AllDetails } from '../sections/index.js';
import { times } from './figures.js';
import { CONFIG, INK, OURS, PAPER, THEIRS, withDarkMode } from './theme.js';

const WIDTH = 620;
/** The lines of a logarithmic axis. */
const DECADES = [1, 10, 100, 1_000, 10_000];
const FACET_HEADER = {
  labelAngle: 0,
  labelAlign: 'left',
  labelOrient: 'top',
  labelAnchor: 'start',
  labelPadding: 0,
  labelBaseline: 'top',
} as const;

/** The plots of a run, by file name. */
export async function plotsOf(details: Partial<AllDetails>): Promise<Record<string, string>> {
  const { readPath, designs, stampede, growth } = details;
  const specs: Record<string, TopLevelSpec | undefined> = {
    'read-path.svg': readPath && readPathPlot(readPath),
    'latency-over-time.svg': designs && latencyPlot(designs),
    'calls-by-concurrency.svg': stampede && callsPlot(stampede),
    'heap-by-tenants.svg': growth && heapPlot(growth),
  };
  const plots: Record<string, string> = {};
  for (const [name, spec] of Object.entries(specs)) if (spec) plots[name] = await svgOf(spec);
  return plots;
}

async function svgOf(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec, { config: CONFIG as never }).spec), { renderer: 'none' });
  const svg = withDarkMode(await view.toSVG());
  view.finalize();
  return `${svg}\n`;
}

/** A read as a multiple of its floor. A bar on a logarithmic scale needs a start: half a floor. */
function readPathPlot({ results, ratios }: AllDetails['readPath']): TopLevelSpec {
  const START = 0.5;
  const values = results.flatMap(({ id, name }) => {
    const ratio = ratios.toFloor[id]?.median;
    if (ratio === undefined) return [];
    return [
      { name, ratio, start: START, label: times(ratio), isOurs: ['peek', 'get', 'module'].includes(id) },
    ];
  });
  const sort = values.toSorted((a, b) => a.ratio - b.ratio).map(({ name }) => name);
  const y = { field: 'name', type: 'nominal', sort, title: null } as const;
  const domain = [START, 2 * Math.max(...values.map(({ ratio }) => ratio))];
  const x = {
    field: 'ratio',
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    axis: { values: DECADES },
    title: 'time of a read as a multiple of its floor (logarithmic)',
  } as const;
  return {
    title: 'One read of a held token',
    width: WIDTH,
    height: { step: 30 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 18 },
        encoding: {
          y,
          x,
          x2: { field: 'start' },
          color: { condition: { test: 'datum.isOurs', value: OURS }, value: THEIRS },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5 },
        encoding: { y, x, text: { field: 'label' } },
      },
      {
        data: { values: [{ floor: 1 }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: INK.light },
        encoding: { x: { field: 'floor', type: 'quantitative' } },
      },
    ],
  };
}

/** One plot for each design: in a common plot the noise of the machine would hide the differences. */
function latencyPlot({ designs }: AllDetails['designs']): TopLevelSpec {
  const LEAST_MS = 0.1;
  const values = designs.flatMap(({ name, expiring }) =>
    expiring.overTime.map(({ atMs, slowestMs }) => ({
      name,
      seconds: atMs / 1_000,
      ms: Math.max(slowestMs, LEAST_MS),
      isOurs: name === ours(designs)[0],
    })),
  );
  const sort = designs.map(({ name }) => name);
  return {
    title: 'The slowest read at each moment, while tokens expire (ms, logarithmic)',
    data: { values },
    facet: { row: { field: 'name', type: 'nominal', sort, title: null, header: FACET_HEADER } },
    spacing: 6,
    spec: {
      width: WIDTH,
      height: 64,
      mark: { type: 'area', line: { strokeWidth: 1.5 }, fillOpacity: 0.25 },
      encoding: {
        x: { field: 'seconds', type: 'quantitative', title: 'seconds', scale: { nice: false } },
        y: {
          field: 'ms',
          type: 'quantitative',
          scale: { type: 'log', domainMin: LEAST_MS, nice: false },
          axis: { values: [0.1, ...DECADES] },
          title: null,
        },
        y2: { datum: LEAST_MS },
        color: { condition: { test: 'datum.isOurs', value: OURS }, value: THEIRS },
      },
    },
  };
}

function callsPlot({ peers }: AllDetails['stampede']): TopLevelSpec {
  const values = peers.flatMap(({ name, sizes }) =>
    sizes.map(({ callers, platformCalls }) => ({ name, callers, calls: platformCalls.median })),
  );
  return {
    title: 'Requests to Feishu when no caller has a token yet',
    width: WIDTH,
    height: 260,
    data: { values },
    mark: { type: 'line', point: { size: 50, filled: true }, strokeWidth: 1.8 },
    encoding: {
      x: {
        field: 'callers',
        type: 'quantitative',
        scale: { type: 'log', nice: false },
        axis: { values: DECADES },
        title: 'callers at once (logarithmic)',
      },
      y: {
        field: 'calls',
        type: 'quantitative',
        scale: { type: 'log' },
        axis: { values: DECADES },
        title: 'requests (logarithmic)',
      },
      color: { field: 'name', type: 'nominal', sort: ours(peers) },
      // Most points lie on one line: the shape shows which packages are there.
      shape: { field: 'name', type: 'nominal', sort: ours(peers) },
    },
  };
}

function heapPlot({ points }: AllDetails['growth']): TopLevelSpec {
  const values = points.flatMap(({ tenants, heapBytesPerTenant: heap }) =>
    heap ? [{ tenants: tenants.toLocaleString('en-US'), bytes: heap.median }] : [],
  );
  const x = {
    field: 'tenants',
    type: 'ordinal',
    sort: values.map((it) => it.tenants),
    title: 'tenants',
  } as const;
  const y = { field: 'bytes', type: 'quantitative', title: 'bytes of heap for each tenant' } as const;
  return {
    title: 'Cost of a tenant',
    width: 320,
    height: 220,
    layer: [
      {
        data: { values },
        mark: { type: 'bar', width: 40, color: OURS },
        encoding: { x: { ...x, axis: { labelAngle: 0 } }, y },
      },
      {
        data: { values },
        mark: { type: 'text', dy: 14, color: PAPER.light },
        encoding: { x, y, text: { ...y, format: ',.0f' } },
      },
      {
        data: { values: [{ target: 1_000 }] },
        mark: { type: 'rule', strokeDash: [4, 3], color: INK.light },
        encoding: { y: { field: 'target', type: 'quantitative' } },
      },
    ],
  };
}

/** Ours gets the first colour. */
function ours(all: readonly { readonly id: string; readonly name: string }[]): string[] {
  return all
    .toSorted((a, b) => Number(b.id === 'module') - Number(a.id === 'module'))
    .map(({ name }) => name);
}
