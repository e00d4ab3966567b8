import { compareRuns } from '../compare-runs.js';
import { type Metric } from '../metric.js';
import { type Run } from '../run.js';
import { QUICK } from '../sizes.js';
import { type Growth } from '../sections/growth.js';
import { type ReadPath } from '../sections/read-path.js';
import { type Stampede } from '../sections/stampede.js';
import { spreadOf } from '../statistics.js';
import { comparisonTable } from './comparison.js';
import { documentOf } from './document.js';
import { duration, figure, percentChange, spreadText } from './figures.js';
import { plotsOf } from './plots.js';
import { readmeSection } from './readme-section.js';
import { summaryTable } from './summary.js';
import { targetsOf } from './targets.js';
import { markdownTable, textTable } from './text-table.js';

const one = (value: number): ReturnType<typeof spreadOf> => spreadOf([value]);

const readPath = (peek: number, bytes: number): ReadPath => ({
  results: [
    { id: 'floor-sync', name: 'floor', nsPerRead: one(40), bytesPerRead: one(16) },
    { id: 'peek', name: 'peek()', nsPerRead: one(peek), bytesPerRead: one(bytes) },
  ],
  ratios: {
    toFloor: { peek: one(peek / 40), get: one(1.5) },
    peers: { 'cache-manager': one(20), 'lark-sdk': one(49) },
  },
  interceptorNs: one(2_000),
  requestNs: one(400_000),
});

const stampede: Stampede = {
  platformLatencyMs: 50,
  peers: [
    {
      id: 'module',
      name: 'ours',
      sizes: [{ callers: 1_000, platformCalls: one(1), lastAnswerMs: one(60), failed: 0 }],
    },
    {
      id: 'lark-sdk',
      name: 'theirs',
      sizes: [{ callers: 1_000, platformCalls: one(1_000), lastAnswerMs: one(1_600), failed: 3 }],
    },
  ],
};

const growth: Growth = {
  startupMs: one(5),
  points: [
    {
      tenants: 10_000,
      readNs: one(500),
      peekNs: one(100),
      floorNs: one(90),
      peekToFloor: one(1.1),
      heapBytesPerTenant: one(900),
      sweepMs: one(30),
      fetchedPerSecond: one(3_000),
    },
  ],
};

const run: Run = {
  measuredAt: '2026-01-02',
  size: QUICK,
  machine: {
    cpu: 'A Processor',
    cores: 2,
    memoryGiB: 8,
    node: '20.19.0',
    v8: '11.3',
    platform: 'linux x64',
    versions: { 'cache-manager': '7.2.9' },
  },
  tookSeconds: 100,
  metrics: [{ id: 'read/peek/ns', unit: 'ns', better: 'less', spread: spreadOf([60, 61, 62]) }],
  details: { readPath: readPath(60, 0.01), stampede, growth },
};

describe('figures', () => {
  it.each([
    [0, '0'],
    [0.012, '0.01'],
    [1.5, '1.5'],
    [2, '2'],
    [12.34, '12.3'],
    [1_234.5, '1,235'],
    [Number.NaN, 'NaN'],
  ])('%d is written %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('shows the spread where there is one', () => {
    expect(spreadText(spreadOf([5, 5, 5]))).toBe('5');
    expect(spreadText(spreadOf([10, 20, 30]))).toBe('20 (15–25)');
  });

  it('says by how much', () => {
    expect([percentChange(1.5), percentChange(0.3), percentChange(1)]).toEqual(['+50 %', '−70 %', '±0 %']);
  });

  it('picks the unit', () => {
    expect([45, 1_500, 2_500_000].map(duration)).toEqual(['45 ns', '1.5 µs', '2.5 ms']);
  });
});

describe('tables', () => {
  const rows = [
    ['name', 'ns'],
    ['a', '1'],
    ['long name', '100'],
  ];

  it('line up as text', () => {
    expect(textTable(rows)).toBe('name        ns\na            1\nlong name  100');
  });

  it('are tables in Markdown', () => {
    expect(markdownTable(rows).split('\n')).toEqual([
      '| name | ns |',
      '| --- | --: |',
      '| a | 1 |',
      '| long name | 100 |',
    ]);
  });
});

describe('targetsOf', () => {
  const met = (details: Run['details']): Record<string, boolean> =>
    Object.fromEntries(targetsOf(details).map(({ what, isMet }) => [what, isMet]));

  it('tells what was reached and what was not', () => {
    expect(met(run.details)).toEqual({
      '`peek()` over its floor': true,
      '`peek()`, allocated': true,
      '`get()` over its floor': true,
      'faster than `cache-manager`’s `wrap()`': true,
      'faster than the official SDK': false,
      'requests for up to 1,000 cold callers': true,
      '`peek()` over its floor, with 10,000 tenants': true,
      'heap a tenant, with 10,000 of them': true,
    });
  });

  it('takes no bytes for none, and 16 for what they are', () => {
    expect(met({ readPath: readPath(90, 16) })).toMatchObject({
      '`peek()` over its floor': false,
      '`peek()`, allocated': false,
    });
  });

  it('says nothing of what was not measured', () => {
    expect(targetsOf({})).toEqual([]);
  });
});

describe('the document', () => {
  const text = documentOf(run);

  it('names the machine, the versions and what was missed', () => {
    expect(text).toContain('A Processor, 2 cores, 8 GiB, linux x64, Node 20.19.0');
    expect(text).toContain('cache-manager 7.2.9');
    expect(text).toContain('Not reached: faster than the official SDK.');
    expect(text).toContain('at the quick size');
  });

  it('takes its figures from the run', () => {
    expect(text).toContain('its share is 0.5 %');
    expect(text).toContain('1,000 in 1,600 ms, 3 failed');
  });

  it('has the parts that were measured, and how the figures could lie', () => {
    const parts = [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(parts).toEqual(['1. The read path', '3. Stampede', '5. Growth', 'How these figures could lie']);
  });

  it('shows the plots that are drawn', async () => {
    const plots = await plotsOf(run.details);
    const shown = [...text.matchAll(/!\[.*\]\(benchmarks\/(.*)\)/g)].map(([, name]) => name);
    expect(Object.keys(plots)).toEqual(shown);
    for (const svg of Object.values(plots)) {
      expect(svg).toMatch(/^<svg /);
      expect(svg).toContain('prefers-color-scheme:dark');
      expect(svg).not.toContain('NaN');
    }
  });
});

describe('the section for the README', () => {
  it('has one plot, five figures and the command', () => {
    const text = readmeSection(run);
    expect(text.match(/^!\[/gm)).toHaveLength(1);
    expect(text.match(/^- /gm)).toHaveLength(5);
    expect(text).toContain('npm run bench');
  });
});

describe('the summary', () => {
  it('has every figure, every target and the machine', () => {
    const text = summaryTable(run);
    expect(text).toMatch(/read\/peek\/ns +61 \(60.5–61.5\)/);
    expect(text).toContain('NOT REACHED');
    expect(text).toContain('quick size, 100 s, on A Processor');
  });
});

describe('the comparison of two runs', () => {
  const figures = (ns: number, bytes: number): Metric[] => [
    { id: 'ns', unit: 'ns', better: 'less', spread: spreadOf([ns, ns]) },
    { id: 'bytes', unit: 'bytes', better: 'less', spread: spreadOf([bytes, bytes]) },
  ];

  it('prints what moved, and nothing else', () => {
    const text = comparisonTable(compareRuns(figures(100, 16), figures(50, 16)), []);
    expect(text).toContain('100 ns  50 ns   −50 %  better');
    expect(text).not.toContain('16 bytes');
    expect(text).toContain('1 of 2 figures moved beyond the noise');
  });

  it('says so when nothing did', () => {
    const text = comparisonTable(compareRuns(figures(100, 16), figures(101, 16)), []);
    expect(text).toBe('nothing moved beyond the noise: 2 figures compared');
  });

  it('warns of two machines', () => {
    const other = { ...run.machine, node: '24.0.0' };
    expect(comparisonTable(compareRuns([], []), [run.machine, other])).toMatch(/^not the same machine/);
  });
});
