/** What was measured: of the plain client, and of the one on our tokens. */
export type Row = readonly [label: string, plain: string, ours: string];

const INDENT = '   ';
const COLUMN = 12;

/** Two columns of figures, side by side. */
export function comparison(rows: readonly Row[]): void {
  const all: readonly Row[] = [['', 'plain SDK', 'our tokens'], ...rows];
  const labelWidth = Math.max(...all.map(([label]) => label.length));
  for (const [label, plain, ours] of all) {
    console.log(INDENT + label.padEnd(labelWidth) + plain.padStart(COLUMN) + ours.padStart(COLUMN));
  }
}
