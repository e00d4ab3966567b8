export { FeishuAuthModule } from './feishu-auth.module.js';
export type {
  EncryptionKey,
  EventOptions,
  FeishuAuthModuleExtras,
  FeishuAuthModuleOptions,
  FeishuAuthOptionsFactory,
  FeishuDomain,
  PrewarmOptions,
  RefreshOptions,
} from './feishu-auth.options.js';
export {
  getFeishuAuthToken,
  getFeishuServiceToken,
  InjectFeishuAuth,
  InjectTokenService,
} from './feishu-auth.injection.js';

export { TokenService } from './token.service.js';
export type {
  AccessToken,
  TokenHandle,
  TokenKind,
  TokenQuery,
  TokenRequestOptions,
} from './tokens/access-token.js';
export type { AppType } from './platform/app-type.js';
export { AppTicketService } from './ticket/app-ticket.service.js';

export { FeishuAuth } from './request/feishu-auth.decorator.js';
export { FeishuAuthInterceptor } from './request/feishu-auth.interceptor.js';
export type { FeishuAuthRequestOptions } from './request/feishu-auth.metadata.js';
export {
  FeishuLoginRequiredException,
  FeishuTenantKeyException,
  FeishuTokenUnavailableException,
} from './request/token-exceptions.js';
export { FeishuToken } from './request/feishu-token.decorator.js';
export { FeishuHttpService, type FeishuRequestInit } from './http/feishu-http.service.js';

export {
  FeishuLoginService,
  type AuthorizationUrlOptions,
  type ExchangeCodeOptions,
  type StepUpOptions,
} from './login/feishu-login.service.js';
export type { AuthorizationUrl } from './login/authorization-url.js';
export type { FeishuDeviceLogin } from './login/device-login.js';
export {
  OnFeishuLogin,
  type FeishuLogin,
  type OnFeishuLoginOptions,
} from './login/on-feishu-login.decorator.js';
export { FeishuLoginException, type FeishuLoginFailure } from './login/feishu-login.exception.js';

export { OnFeishuEvent, type OnFeishuEventOptions } from './events/on-feishu-event.decorator.js';
export { FeishuEventService } from './events/feishu-event.service.js';
export type { FeishuEventReply } from './events/feishu-event-reply.js';
export type { FeishuEvent } from './events/feishu-event.js';
export type { FeishuEventHeaders } from './events/event-delivery.js';
export type { EventRefusalReason } from './events/event-refusal.js';

export { TokenPrewarmer, type PrewarmSweepResult } from './prewarm/token-prewarmer.js';
export { FeishuAuthHealthIndicator } from './health/feishu-auth.health.js';
export type { FeishuAuthHealthDetails, TokenKindHealth } from './health/health-details.js';
export type { HealthIndicatorResult } from './health/terminus.js';
export type {
  DurationSummary,
  Summary,
  TokenKindMetrics,
  TokenMetricsSnapshot,
} from './metrics/token-metrics-snapshot.js';

export {
  FEISHU_AUTH_CHANNELS,
  type BreakerMessage,
  type InvalidationMessage,
  type RenewalMessage,
  type RotationMessage,
  type TokenRequestMessage,
  type TokenWaitMessage,
} from './telemetry/channels.js';
export type { HeldTokenState } from './telemetry/instance-telemetry.js';
export type { StatusPageOptions } from './status/status-page.options.js';
export type {
  StatusFailure,
  StatusInstance,
  StatusMinute,
  StatusSnapshot,
} from './status/status-snapshot.js';

export { UserTokenStore } from './users/store/user-token-store.js';
export { FileUserTokenStore, type FileUserTokenStoreOptions } from './users/store/file-user-token-store.js';
export { InMemoryUserTokenStore } from './users/store/in-memory-user-token-store.js';
export type { FeishuUser } from './users/feishu-user.js';
export type { UserLoginStatus } from './users/user-login-status.js';
export type { KeepAliveOptions, UserOptions } from './users/user-options.js';

export { RefreshLock, type RefreshLease, type RefreshLockOptions } from './lock/refresh-lock.js';
export type { TokenCache } from './store/token-cache.js';
export { InProcessRefreshLock } from './lock/in-process-refresh-lock.js';

export {
  FeishuAuthError,
  isFeishuAuthError,
  type FeishuAuthErrorCode,
  type FeishuAuthErrorDetails,
} from './errors/feishu-auth.error.js';
export type { ReauthorizationReason } from './errors/reauthorization-reason.js';
