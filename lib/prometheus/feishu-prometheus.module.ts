import { type DynamicModule, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { register as defaultRegistry } from 'prom-client';
import { PrometheusExporter, type PrometheusRegistry } from './prometheus-exporter.js';

export { type PrometheusRegistry } from './prometheus-exporter.js';

/**
 * Options of {@link FeishuPrometheusModule.register}.
 *
 * @publicApi
 */
export interface FeishuPrometheusOptions {
  /** The registry that is scraped. @default prom-client's default registry */
  readonly registry?: PrometheusRegistry;
}

/**
 * Adds the metrics of all `FeishuAuthModule` instances of the application to a prom-client registry. The metrics are
 * read when the registry is scraped; a read of a token costs nothing more.
 *
 * The module serves no endpoint. Use the one that the application has, or `@willsoto/nestjs-prometheus`, which serves
 * prom-client's default registry.
 *
 * @example
 * @Module({ imports: [FeishuAuthModule.forRoot(options), FeishuPrometheusModule.register(), PrometheusModule.register()] })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({})
export class FeishuPrometheusModule {
  /**
   * @param options.registry where the metrics go; prom-client's default registry when it is absent
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` at start-up, if the registry has another metric of the same name
   */
  static register({ registry = defaultRegistry }: FeishuPrometheusOptions = {}): DynamicModule {
    return {
      module: FeishuPrometheusModule,
      providers: [
        {
          provide: PrometheusExporter,
          useFactory: (modules: ModulesContainer) => new PrometheusExporter(modules, registry),
          inject: [ModulesContainer],
        },
      ],
    };
  }
}
