import { type FeishuAuthEngine } from '../feishu-auth.engine.js';
import { cacheKey } from '../tokens/token-query.js';
import { EventDeduplicator } from './event-deduplicator.js';
import { EventLog, type EventLogger } from './event-log.js';
import { EventVerifier } from './event-verifier.js';
import { FeishuEventService } from './feishu-event.service.js';
import { BuiltInEventHandlers } from './built-in-event-handlers.js';

/** The event service of one instance, put together from its engine. */
export function createEventService(engine: FeishuAuthEngine, logger: EventLogger): FeishuEventService {
  const { options, clock, lock, tickets, tenants, eventMetrics: metrics } = engine;
  const { events, appId, appType } = options;
  if (!events) return new FeishuEventService(undefined);
  const log = new EventLog(logger, clock);
  return new FeishuEventService({
    verifier: new EventVerifier({ appId, options: events, clock }),
    claims: new EventDeduplicator({
      lock,
      clock,
      maxSkewMs: events.maxSkewMs,
      keyOf: (claim) => cacheKey(options, 'event', claim),
      onUnguarded: () => {
        metrics.unguarded();
        log.unguarded();
      },
    }),
    own: new BuiltInEventHandlers({ appType, tickets, tenants, clock }),
    metrics,
    log,
    clock,
  });
}
