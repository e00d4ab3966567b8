import { styleText } from 'node:util';
import { type Fleet, type Replica } from './fleet.js';

const DRAW_EVERY_MS = 200;
const HEADER = ['process', 'reads', 'platform calls', 'adopted', 'lock waits', 'slowest read', 'health'];
const INDENT = '   ';

/** The table of the fleet: redrawn below what was said, on a terminal; printed when asked for, without one. */
export class Board {
  private readonly isLive = process.stdout.isTTY;
  private fleet: Fleet | undefined;
  private timer: NodeJS.Timeout | undefined;
  private drawnLines = 0;

  show(fleet: Fleet): void {
    this.fleet = fleet;
    if (this.isLive) this.timer = setInterval(() => this.redraw(), DRAW_EVERY_MS);
  }

  heading(text: string): void {
    this.say(`\n${this.isLive ? styleText('bold', text) : text}`);
  }

  say(text: string): void {
    this.erase();
    console.log(text);
    if (this.timer) this.redraw();
  }

  /** The table as it is now, where it is not seen anyway. */
  snapshot(): void {
    if (this.fleet && !this.timer) console.log(tableOf(this.fleet.replicas));
  }

  /** No table from now on. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.erase();
  }

  private redraw(): void {
    this.erase();
    if (!this.fleet) return;
    const text = `\n${tableOf(this.fleet.replicas)}`;
    console.log(text);
    this.drawnLines = text.split('\n').length;
  }

  private erase(): void {
    if (this.drawnLines > 0) process.stdout.write(`\u001B[${this.drawnLines}A\u001B[J`);
    this.drawnLines = 0;
  }
}

function tableOf(replicas: readonly Replica[]): string {
  return table([HEADER, ...replicas.map(rowOf)]);
}

function rowOf({ name, report, slowestMs, isKilled }: Replica): string[] {
  return [
    name,
    report.reads.toLocaleString('en-US'),
    String(report.platformCalls),
    String(report.adopted),
    String(report.lockWaits),
    `${slowestMs.toFixed(1)} ms`,
    isKilled ? 'killed' : report.health,
  ];
}

/** The first column to the left, every other to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return rows.map((row) => INDENT + row.map(pad).join('  ').trimEnd()).join('\n');
}
