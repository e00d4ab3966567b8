import { type EmulatorApps } from './emulator-apps.js';
import { type EmulatedDelivery, type EmulatorEvents } from './emulator-events.js';

/**
 * The tenants of store apps: each of these does at the platform what it says, and pushes the event of it.
 *
 * @publicApi
 */
export class EmulatorTenants {
  /** @internal */
  constructor(
    private readonly apps: EmulatorApps,
    private readonly events: EmulatorEvents,
  ) {}

  /** `app_open`: it gets tokens from now on. */
  install(appId: string, tenantKey: string): Promise<EmulatedDelivery> {
    this.apps.addTenant(appId, tenantKey);
    return this.push(appId, tenantKey, 'app_open', {
      applicants: [{ open_id: 'ou_applicant' }],
      installer: { open_id: 'ou_installer' },
    });
  }

  /** `app_status_change`: its tokens end, and it gets none until it is started again. */
  stop(
    appId: string,
    tenantKey: string,
    status: 'stop_by_tenant' | 'stop_by_platform' = 'stop_by_tenant',
  ): Promise<EmulatedDelivery> {
    this.apps.removeTenant(appId, tenantKey);
    return this.push(appId, tenantKey, 'app_status_change', { status });
  }

  /** `app_status_change`: it gets tokens again. */
  start(appId: string, tenantKey: string): Promise<EmulatedDelivery> {
    this.apps.addTenant(appId, tenantKey);
    return this.push(appId, tenantKey, 'app_status_change', { status: 'start_by_tenant' });
  }

  /** `app_uninstalled`: its tokens end. */
  uninstall(appId: string, tenantKey: string): Promise<EmulatedDelivery> {
    this.apps.removeTenant(appId, tenantKey);
    return this.push(appId, tenantKey, 'app_uninstalled', {});
  }

  /** All of these are documented in the old schema only. */
  private push(
    appId: string,
    tenantKey: string,
    type: string,
    event: Record<string, unknown>,
  ): Promise<EmulatedDelivery> {
    return this.events.push(appId, { schema: '1.0', type, tenantKey, event });
  }
}
