/** A label, the figure of the plain client, and the figure of the module's client. */
export type Row = readonly [label: string, plain: string, ours: string];

const INDENT = '   ';
const COLUMN = 12;

/** Prints two columns of figures. */
export function comparison(rows: readonly Row[]): void {
  const all: readonly Row[] = [['', 'plain SDK', 'our tokens'], ...rows];
  const labelWidth = Math.max(...all.map(([label]) => label.length));
  for (const [label, plain, ours] of all) {
    console.log(INDENT + label.padEnd(labelWidth) + plain.padStart(COLUMN) + ours.padStart(COLUMN));
  }
}
