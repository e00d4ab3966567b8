export {
  FeishuPrometheusModule,
  type FeishuPrometheusOptions,
  type PrometheusRegistry,
} from './feishu-prometheus.module.js';
