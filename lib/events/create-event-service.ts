import { type FeishuAuthEngine } from '../feishu-auth.engine.js';
import { cacheKey } from '../tokens/token-query.js';
import { EventClaims } from './event-claims.js';
import { EventLog, type EventLogger } from './event-log.js';
import { EventVerifier } from './event-verifier.js';
import { FeishuEventService } from './feishu-event.service.js';
import { OwnEvents } from './own-events.js';

/** The event service of one instance, put together from its engine. */
export function createEventService(engine: FeishuAuthEngine, logger: EventLogger): FeishuEventService {
  const { options, clock, lock, tickets, tenants, eventMetrics: metrics } = engine;
  const { events, appId, appType } = options;
  if (!events) return new FeishuEventService(undefined);
  const log = new EventLog(logger, clock);
  return new FeishuEventService({
    verifier: new EventVerifier({ appId, options: events, clock }),
    claims: new EventClaims({
      lock,
      clock,
      maxSkewMs: events.maxSkewMs,
      keyOf: (claim) => cacheKey(options, 'event', claim),
      onUnguarded: () => {
        metrics.unguarded();
        log.unguarded();
      },
    }),
    own: new OwnEvents({ appType, tickets, tenants, clock }),
    metrics,
    log,
    clock,
  });
}
