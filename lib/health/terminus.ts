/** @ts-ignore: an application without terminus still compiles */
import { type HealthIndicatorResult as TerminusResult } from '@nestjs/terminus';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * What an indicator answers: the type of the terminus version that the application has.
 *
 * @publicApi
 */
export type HealthIndicatorResult = TerminusResult;

/** One check: the states that an indicator can answer with. @internal */
export interface HealthSession {
  up(details: object): HealthIndicatorResult;
  down(details: object): HealthIndicatorResult;
  /** Terminus 11 does not have it. */
  degraded?(details: object): HealthIndicatorResult;
}

/** @internal */
export type HealthSessions = (key: string) => HealthSession;

/**
 * Loads terminus: at the first check, not with this package, because it is large and many applications have no health
 * endpoint.
 *
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` when it is not installed, or in an unsupported version
 *
 * @internal
 */
export async function loadTerminus(load: () => Promise<object> = importTerminus): Promise<HealthSessions> {
  const terminus = (await load().catch(refuse)) as TerminusExports;
  const { HealthIndicatorService } = terminus;
  if (HealthIndicatorService === undefined) {
    throw invalid('the installed version of @nestjs/terminus is not supported');
  }
  // An instance for this module: the host need not import TerminusModule where this module can see it.
  const service = new HealthIndicatorService();
  return (key) => service.check(key);
}

interface TerminusExports {
  /** Since terminus 11. */
  HealthIndicatorService?: new () => { check: HealthSessions };
}

function importTerminus(): Promise<object> {
  return import('@nestjs/terminus');
}

function refuse(cause: unknown): never {
  throw invalid('@nestjs/terminus cannot be loaded', cause);
}

function invalid(problem: string, cause?: unknown): FeishuAuthError {
  return new FeishuAuthError(
    'ERR_FEISHU_CONFIG_INVALID',
    `FeishuAuthHealthIndicator: ${problem}. ` +
      'Install it beside Nest: `npm install @nestjs/terminus@12` with Nest 12, `npm install @nestjs/terminus@11` with Nest 11.',
    { cause },
  );
}
