export { FeishuEmulator } from './feishu-emulator.js';
export { type RequestLogEntry, type FeishuEmulatorOptions } from './feishu-emulator.options.js';
export {
  type EmulatedApi,
  type EmulatedApiCall,
  type EmulatedApiData,
  EmulatorApis,
} from './emulator-apis.js';
export { type EmulatedApp, EmulatorApps } from './emulator-apps.js';
export { EmulatorClock } from './emulator-clock.js';
export { type EmulatedEvent, type SignedRequest } from './emulator-event-body.js';
export { type EmulatedDelivery, EmulatorEvents, type EventSubscription } from './emulator-events.js';
export { type EmulatorFault, type EmulatorFaultHandle, EmulatorFaults } from './emulator-faults.js';
export { EmulatorTenants } from './emulator-tenants.js';
export { type EmulatedTicket, EmulatorTickets } from './emulator-tickets.js';
export { type EmulatedIdentity, type RevokeOptions } from './emulator-tokens.js';
export { type EmulatedConsentMode } from './users/consent-endpoints.js';
export { type EmulatedLogin } from './users/emulated-login.js';
export { type EmulatedUser, type EmulatedUserStatus } from './users/emulated-user.js';
export {
  type EmulatedCallback,
  type EmulatedDecision,
  type EmulatedRevocation,
  EmulatorUsers,
} from './users/emulator-users.js';
export { type EmulatedOAuthOptions } from './users/oauth-options.js';
export { refreshLockConformance } from './refresh-lock-conformance.js';
export { TestClock } from './test-clock.js';
export { type TestRunner } from './test-runner.js';
export {
  userTokenStoreConformance,
  type UserTokenStoreConformanceOptions,
} from './user-token-store-conformance.js';
export { Clock, type ClockTimer, type TimerOptions } from '../time/clock.js';
export { RandomSource } from '../time/random-source.js';
