/**
 * The least width of the first column, in characters: tables below one another line up.
 *
 * @internal
 */
export const LABEL_WIDTH = 15;
/**
 * Between two columns.
 *
 * @internal
 */
export const GAP = '  ';

/**
 * Lines up rows of text: the first column to the left, the others to the right.
 *
 * @internal
 */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = [LABEL_WIDTH];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const pad = (cell: string, column: number): string => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return rows.map((row) => row.map(pad).join(GAP).trimEnd()).join('\n');
}
