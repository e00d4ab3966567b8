import { textTable } from '../../lib/metrics/text-table.js';
import { type PhaseReport } from './phase-log.js';

const HEADER = [
  'phase',
  'minutes',
  'tokens',
  'calls/token',
  'refused calls',
  'peak calls/s',
  'late renewals',
  'reads',
  'waited',
  'without token',
  'slowest ms',
  'Redis/s',
];

/** Answered platform calls per token that was issued: 1 is one call per token and lifetime. */
export function callsPerToken({ answeredCalls, tokens }: PhaseReport): number {
  return tokens === 0 ? Number.NaN : answeredCalls / tokens;
}

export function reportTable(reports: readonly PhaseReport[]): string {
  return textTable([HEADER, ...reports.map(row)]);
}

function row(report: PhaseReport): string[] {
  const { phase, minutes, tokens, refusedCalls, peakCallsPerSecond, lateRenewals } = report;
  const { reads, waited, failed, slowestReadMs, redisCommands } = report;
  const redisPerSecond = Math.round(redisCommands / (minutes * 60));
  const perToken = tokens === 0 ? '-' : callsPerToken(report).toFixed(3);
  const counts = [
    refusedCalls,
    peakCallsPerSecond,
    lateRenewals,
    reads,
    waited,
    failed,
    slowestReadMs,
    redisPerSecond,
  ];
  return [phase, String(minutes), String(tokens), perToken, ...counts.map(String)];
}
