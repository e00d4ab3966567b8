import { documentOf } from './document.js';
import { plotsOf } from './plots.js';
import { run } from './run.fixture.js';

const titlesOf = (text: string): (string | undefined)[] =>
  [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title);

describe('the document', () => {
  const text = documentOf(run);

  it('names the machine, the versions and what was missed', () => {
    expect(text).toContain('A Processor, 2 cores, 8 GiB, linux x64, Node 20.19.0');
    expect(text).toContain('cache-manager 7.2.9');
    expect(text).toContain(
      'Not reached: faster than the official SDK; `getTenantAccessToken({ tenantKey })` over its floor, with 10,000 tenants.',
    );
    expect(text).toContain('at the quick size');
  });

  it('has its parts in order, and how the figures could lie', () => {
    expect(titlesOf(text)).toEqual([
      '1. The read path',
      '2. The designs the project descends from',
      '3. Stampede',
      '4. Renewal under load',
      '5. Growth',
      '6. The fleet',
      'How these figures could mislead',
    ]);
  });

  it('leaves out what was not measured', () => {
    const { stampede, growth } = run.details;
    const titles = titlesOf(
      documentOf({ ...run, details: { ...(stampede && { stampede }), ...(growth && { growth }) } }),
    );
    expect(titles).toEqual(['3. Stampede', '5. Growth', 'How these figures could mislead']);
  });

  it.each([
    ['the interceptor', 'takes\n400 µs (350 µs – 450 µs) over loopback, so its share is 0.5 %'],
    [
      'the designs while tokens expire',
      '| 2,000 (1,500–2,500) | 0.05 ms | 300 ms | 320 ms | 330 ms | 7 (6.5–7.5) |',
    ],
    ['the predictions', '| (2) single flight | +200 % | +128 % | −50 % | −89 % |'],
    [
      'the throughput while tokens expire',
      '| callers | 100 |\n| --- | --: |\n| (0) one mutex | 2,000 (1,500–2,500) |',
    ],
    ['their cold start', '| (0) one mutex | 6 in 320 (315–325) ms |'],
    ['the day', '| prewarmed | 28,800 | 1 ms | 2 ms | 3 ms | 100 ms | 78 | 240 | 72 |'],
    ['the stampede', '| ours | 1 in 60 (57–63) ms |'],
    ['those who failed in it', '1,000 in 1,600 ms, 3 failed'],
    ['the renewals', '| tokens rotate | 2 | 1,400 (1,050–1,750) | 0.02 ms | 9 ms | 11 ms | 0 |'],
    ['the outage', '0 failed reads, 35 attempts to renew'],
    ['growth', '| 10,000 | 500 | 240 | 2.1× | 100 | 90 | 1.1× | 900 | 45 | 7 | 3,000 |'],
    ['the fleet', '| 4 | 1 | 137 | 225 | 120 | 1 |'],
    ['the lock', '2 round trips to Redis, one to take it and one to give it back: 0.17 ms,\n1.7 times'],
  ])('takes its figures from the run: %s', (_, expected) => {
    expect(text).toContain(expected);
  });

  it('says why the fleet was not measured', () => {
    const fleet = { skipped: 'there is no redis-server on this machine' };
    const skipped = documentOf({ ...run, details: { ...run.details, fleet } });
    expect(skipped).toContain('## 6. The fleet\n\nNot measured: there is no redis-server on this machine.');
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
