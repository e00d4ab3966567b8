import { type DynamicModule, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';
import { MetricsBridge } from './metrics-bridge.js';
import { RenewalSpans } from './renewal-spans.js';

/**
 * Options of {@link FeishuOpenTelemetryModule.register}.
 *
 * @publicApi
 */
export interface FeishuOpenTelemetryOptions {
  /** Where metrics go. @default the global meter provider */
  readonly meterProvider?: MeterProvider;
  /** Where spans go. @default the global tracer provider */
  readonly tracerProvider?: TracerProvider;
}

/**
 * Reports the metrics of all `FeishuAuthModule` instances of the application to OpenTelemetry, and one span for each
 * renewal and each rotation. A read that is answered from memory makes no span and records nothing.
 *
 * Start the OpenTelemetry SDK before the application, as for any instrumentation.
 *
 * @example
 * @Module({ imports: [FeishuAuthModule.forRoot(options), FeishuOpenTelemetryModule.register()] })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({})
export class FeishuOpenTelemetryModule {
  /**
   * @param options.meterProvider where metrics go; the global provider when it is absent
   * @param options.tracerProvider where spans go; the global provider when it is absent
   */
  static register(options: FeishuOpenTelemetryOptions = {}): DynamicModule {
    return {
      module: FeishuOpenTelemetryModule,
      providers: [
        {
          provide: MetricsBridge,
          useFactory: (modules: ModulesContainer) =>
            new MetricsBridge(modules, options.meterProvider ?? metrics.getMeterProvider()),
          inject: [ModulesContainer],
        },
        {
          provide: RenewalSpans,
          useFactory: (modules: ModulesContainer) =>
            new RenewalSpans(modules, options.tracerProvider ?? trace.getTracerProvider()),
          inject: [ModulesContainer],
        },
      ],
    };
  }
}
