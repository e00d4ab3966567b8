export { createLarkClient, type LarkClientOptions } from './create-lark-client.js';
export { larkCache, type LarkCacheOptions } from './lark-cache.js';
export { larkHttpInstance, type LarkHttpOptions } from './lark-http-instance.js';
export { larkLogger, type LarkLoggerOptions } from './lark-logger.js';
export {
  FeishuLarkModule,
  type FeishuLarkFeature,
  getLarkClientToken,
  InjectLarkClient,
} from './feishu-lark.module.js';
