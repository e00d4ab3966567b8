export { FeishuOpenTelemetryModule, type FeishuOpenTelemetryOptions } from './feishu-opentelemetry.module.js';
