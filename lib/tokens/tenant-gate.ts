import { type FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * Decides whether a tenant may get tokens. tenants/ implements it.
 *
 * @internal
 */
export interface TenantGate {
  /** Looks into the shared store. @returns the error for callers if the tenant stopped or uninstalled the app */
  refusalOf(tenantKey: string): Promise<FeishuAuthError | undefined>;
}
