import { type OnApplicationShutdown } from '@nestjs/common';
import { type ModulesContainer } from '@nestjs/core';
import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Link,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { tracingChannel } from 'node:diagnostics_channel';
import { FEISHU_AUTH_CHANNELS, type RenewalMessage } from '../telemetry/channels.js';
import { telemetryOf } from '../telemetry/instance-telemetry.js';
import { SCOPE_NAME } from './scope.js';

/**
 * One span for each renewal. Many callers share a renewal and it may outlive them all, so its span is a root span with
 * a link to the span of the caller that waits.
 */
export class RenewalSpans implements OnApplicationShutdown {
  readonly #modules: ModulesContainer;
  readonly #tracer: Tracer;
  readonly #open = new WeakMap<object, Span>();
  readonly #subscribers = {
    start: (message: unknown): void => this.#start(message as RenewalMessage),
    asyncEnd: (message: unknown): void => this.#end(message as RenewalMessage),
  };

  constructor(modules: ModulesContainer, provider: TracerProvider) {
    this.#modules = modules;
    this.#tracer = provider.getTracer(SCOPE_NAME);
    const channel = tracingChannel(FEISHU_AUTH_CHANNELS.renewal);
    channel.start.subscribe(this.#subscribers.start);
    channel.asyncEnd.subscribe(this.#subscribers.asyncEnd);
  }

  /** @internal */
  onApplicationShutdown(): void {
    const channel = tracingChannel(FEISHU_AUTH_CHANNELS.renewal);
    channel.start.unsubscribe(this.#subscribers.start);
    channel.asyncEnd.unsubscribe(this.#subscribers.asyncEnd);
  }

  #start(message: RenewalMessage): void {
    const own = telemetryOf(this.#modules);
    if (own.length > 0 && !own.some(({ instance }) => instance === message.instance)) return;
    const span = this.#tracer.startSpan('feishu.auth.renewal', {
      kind: SpanKind.INTERNAL,
      root: true,
      links: linksOf(message),
      attributes: {
        'feishu.instance': message.instance,
        kind: message.kind,
        'feishu.auth.trigger': message.trigger,
      },
    });
    this.#open.set(message, span);
  }

  #end(message: RenewalMessage): void {
    const span = this.#open.get(message);
    if (!span) return;
    this.#open.delete(message);
    if (message.outcome !== undefined) span.setAttribute('outcome', message.outcome);
    if (message.source !== undefined) span.setAttribute('feishu.auth.source', message.source);
    if (message.outcome === 'failed') {
      span.setAttribute('error.type', message.errorType ?? '_OTHER');
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }
}

/** Only a caller that waits is linked: ahead of time, the read that noticed the due renewal has gone on. */
function linksOf({ trigger }: RenewalMessage): Link[] {
  if (trigger === 'background') return [];
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? [] : [{ context }];
}
