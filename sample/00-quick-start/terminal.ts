import { styleText } from 'node:util';

/** A label, the measured figure, and an explanation. */
export type Figure = readonly [label: string, figure: string, remark?: string];

const INDENT = '   ';

export function heading(text: string): void {
  console.log(`\n${process.stdout.isTTY ? styleText('bold', text) : text}`);
}

export function figures(rows: readonly Figure[]): void {
  const labelWidth = Math.max(...rows.map(([label]) => label.length));
  const figureWidth = Math.max(...rows.map(([, figure]) => figure.length));
  for (const [label, figure, remark = ''] of rows) {
    const line = `${label.padEnd(labelWidth)}  ${figure.padStart(figureWidth)}  ${remark}`;
    console.log(INDENT + line.trimEnd());
  }
}

export function say(text: string): void {
  console.log(text.replaceAll(/^(?=.)/gm, INDENT));
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

export function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`;
}

export function microseconds(ms: number): string {
  return `${(ms * 1_000).toFixed(1)} µs`;
}
