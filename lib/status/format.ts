/** `1 h 32 min`, `4 min 10 s`, `9 s`: two units at most, rounded down. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** `99.98 %`: never rounded up to 100 while one request was not a hit. */
export function percentText(ratio: number): string {
  return `${(Math.floor(ratio * 10_000) / 100).toFixed(ratio === 1 || ratio === 0 ? 0 : 2)} %`;
}

/** `0.4 ms`, `12 ms`, `1.25 s`. */
export function millisecondsText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms >= 10 ? Math.round(ms) : Math.round(ms * 10) / 10} ms`;
}

/** `14:03:27 UTC`. */
export function timeText(iso: string): string {
  return `${iso.slice(11, 19)} UTC`;
}
