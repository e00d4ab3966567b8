import { styleText } from 'node:util';
import { type ReplicaProcess } from './replica-process.js';

const DRAW_EVERY_MS = 250;
const COLUMNS = [
  'process',
  'reads',
  'platform calls',
  'adopted',
  'lock waits',
  'slowest read',
  'health',
] as const;

/** On a terminal a table that lives; anywhere else plain lines. */
export class Screen {
  private drawn = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly replicas: readonly ReplicaProcess[]) {}

  begin(): void {
    if (process.stdout.isTTY) this.timer = setInterval(() => this.draw(), DRAW_EVERY_MS);
  }

  /** Something happens: said above the table. */
  say(text: string): void {
    this.erase();
    console.log(process.stdout.isTTY ? styleText('bold', text) : text);
    if (this.timer) this.draw();
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.draw();
  }

  private draw(): void {
    this.erase();
    const rows = [COLUMNS, ...this.replicas.map(row)];
    const widths = COLUMNS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
    for (const cells of rows) {
      const line = cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('   ');
      console.log(`   ${line.trimEnd()}`);
    }
    this.drawn = process.stdout.isTTY ? rows.length : 0;
  }

  private erase(): void {
    if (this.drawn > 0) process.stdout.write(`\u001B[${this.drawn}A\u001B[0J`);
    this.drawn = 0;
  }
}

function row({ name, figures, isKilled }: ReplicaProcess): readonly string[] {
  const { reads, platformCalls, adopted, lockWaits, slowestReadMs, health } = figures;
  const counts = [reads, platformCalls, adopted, lockWaits].map((it) => it.toLocaleString('en-US'));
  return [name, ...counts, `${slowestReadMs.toFixed(1)} ms`, isKilled ? 'killed' : health];
}
