import { type INestApplication } from '@nestjs/common';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, MetricReader, type CollectionResult } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Registry } from 'prom-client';
import { TokenService } from '../../lib/index.js';
import { FeishuOpenTelemetryModule } from '../../lib/opentelemetry/index.js';
import { FeishuPrometheusModule } from '../../lib/prometheus/index.js';
import { type FeishuEmulator } from '../../lib/testing/index.js';
import { METRIC_DEFINITIONS, prometheusLabel } from '../../lib/telemetry/metric-definitions.js';
import { startPlatform, until } from '../fixtures/feishu-platform.js';
import { createTelemetryApp } from './telemetry-app.js';

class ManualReader extends MetricReader {
  protected onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Typed by what is used of it: the two packages have their own copies of the enums. */
const serializer: { serialize(metrics: CollectionResult['resourceMetrics']): string } =
  new PrometheusSerializer('', false);

describe('FeishuOpenTelemetryModule', () => {
  let emulator: FeishuEmulator;
  let app: INestApplication;
  let reader: ManualReader;
  let spans: InMemorySpanExporter;
  let registry: Registry;
  let tokens: TokenService;
  const contexts = new AsyncLocalStorageContextManager();

  beforeAll(async () => {
    emulator = await startPlatform();
    context.setGlobalContextManager(contexts.enable());
  });
  beforeEach(async () => {
    reader = new ManualReader();
    spans = new InMemorySpanExporter();
    registry = new Registry();
    app = await createTelemetryApp(emulator, [
      FeishuPrometheusModule.register({ registry }),
      FeishuOpenTelemetryModule.register({
        meterProvider: new MeterProvider({ readers: [reader] }),
        tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
      }),
    ]);
    await app.init();
    tokens = app.get(TokenService);
  });
  afterEach(async () => {
    emulator.faults.clear();
    await app.close();
  });
  afterAll(async () => {
    context.disable();
    await emulator.stop();
  });

  const collect = (): Promise<CollectionResult> => reader.collect();

  it('has the names and values that the Prometheus module has, by the rules for OpenTelemetry in Prometheus', async () => {
    await tokens.getTenantAccessToken();
    await tokens.getTenantAccessToken();
    // The renewal is over for its caller before its token is in the store.
    await until(() => app.get(TokenService).metrics().store.writes > 0);
    const { resourceMetrics } = await collect();
    const fromOtel = seriesOf(withUnits(serializer.serialize(resourceMetrics)));
    const fromProm = seriesOf(await registry.metrics());
    const names = (series: ReadonlyMap<string, string>): string[] =>
      [...new Set([...series.keys()].map((key) => key.split('{')[0] ?? ''))].toSorted();
    expect(names(fromOtel)).toEqual(names(fromProm));
    for (const [key, value] of fromProm) {
      // Both measure time anew. A histogram that recorded nothing is not exported.
      if (/_sum|remaining/.test(key)) continue;
      expect([key, fromOtel.get(key) ?? '0']).toEqual([key, value]);
    }
  });

  it('makes one root span for a renewal, linked to the span of the caller that waits, and none for a hit', async () => {
    const tracer = new BasicTracerProvider().getTracer('test');
    const caller = tracer.startSpan('request');
    await contexts.with(trace.setSpan(context.active(), caller), () => tokens.getTenantAccessToken());
    await tokens.getTenantAccessToken();
    caller.end();

    const finished = spans.getFinishedSpans();
    expect(finished).toHaveLength(1);
    expect(finished[0]).toMatchObject({
      name: 'feishu.auth.renewal',
      attributes: {
        'feishu.instance': 'default',
        kind: 'tenant',
        outcome: 'renewed',
        'feishu.auth.trigger': 'read',
        'feishu.auth.source': 'platform',
      },
    });
    expect(finished[0]?.parentSpanContext).toBeUndefined();
    expect(finished[0]?.links.map((link) => link.context.spanId)).toEqual([caller.spanContext().spanId]);
  });

  it('marks the span of a failed renewal, without a secret in it', async () => {
    emulator.faults.add({ times: 1, code: 10015 });
    await expect(tokens.getTenantAccessToken()).rejects.toThrow();
    const [span] = spans.getFinishedSpans();
    expect(span?.attributes).toMatchObject({
      outcome: 'failed',
      'error.type': 'ERR_FEISHU_CREDENTIALS_REJECTED',
    });
    expect(span?.status.code).toBe(2);
    expect(JSON.stringify([span?.attributes, span?.events])).not.toContain('secret');
  });
});

/** The collector and Prometheus itself put the unit into the name; the serializer for Node leaves it out. */
function withUnits(text: string): string {
  const inSeconds = METRIC_DEFINITIONS.filter(({ unit }) => unit === 's').map(({ name }) =>
    prometheusLabel(name),
  );
  return text.replaceAll(
    new RegExp(`^(${inSeconds.join('|')})(?=_bucket|_sum|_count|[{ ])`, 'gm'),
    '$1_seconds',
  );
}

function seriesOf(text: string): Map<string, string> {
  const series = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^(feishu_auth\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!match) continue;
    const labels = (match[2] ?? '')
      .split(/,(?=\w+=")/)
      .filter((label) => !label.startsWith('otel_scope'))
      .toSorted();
    series.set(`${match[1]}{${labels.join(',')}}`, match[3] ?? '');
  }
  return series;
}
