import { compareRuns } from '../compare-runs.js';
import { type Metric } from '../metric.js';
import { spreadOf } from '../statistics.js';
import { comparisonTable } from './comparison.js';
import { duration, durationText, figure, percentChange, spreadText } from './figures.js';
import { readmeSection } from './readme-section.js';
import { run } from './run.fixture.js';
import { summaryTable } from './summary.js';
import { markdownTable, textTable } from './text-table.js';

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
    expect(durationText(spreadOf([400, 400, 400]))).toBe('400 ns');
    expect(durationText(spreadOf([400, 800, 2_000]))).toBe('800 ns (600 ns – 1.4 µs)');
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

describe('the section for the README', () => {
  it('has five figures and the command', () => {
    const text = readmeSection(run);
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
    { id: 'ns', unit: 'ns', better: 'less', spread: spreadOf([ns, ns, ns]) },
    { id: 'bytes', unit: 'bytes', better: 'less', spread: spreadOf([bytes]) },
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
