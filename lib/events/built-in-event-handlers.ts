import { type AppType } from '../platform/app-type.js';
import { type TenantLifecycle } from '../tenants/tenant-lifecycle.js';
import { type AppTickets } from '../ticket/app-tickets.js';
import { type Clock } from '../time/clock.js';
import { type UserLogins } from '../users/user-logins.js';
import { type FeishuEvent } from './feishu-event.js';

export interface BuiltInEventHandlersDependencies {
  readonly appType: AppType;
  readonly tickets: AppTickets;
  readonly tenants: TenantLifecycle;
  /** Absent without the option `users`. */
  readonly logins?: UserLogins | undefined;
  readonly clock: Clock;
}

/** Applies the events that this module needs: a store app's ticket, what tenants do with it, and revoked user tokens. */
export class BuiltInEventHandlers {
  constructor(private readonly deps: BuiltInEventHandlersDependencies) {}

  /** Safe to repeat: the time of the event decides, not the order of the calls. */
  async apply({ eventType, tenantKey, createdAt, event }: FeishuEvent): Promise<void> {
    const { appType, tickets, tenants, clock } = this.deps;
    const at = createdAt?.getTime() ?? clock.now();
    if (eventType === 'auth.user_access_token.revoked_v4') return this.revoked(event, at);
    if (appType !== 'store') return;
    if (eventType === 'app_ticket') await tickets.receive(event['app_ticket'], at);
    if (tenantKey === undefined) return;
    switch (tenantStatusOf(eventType, event['status'])) {
      case 'enabled':
        return tenants.enabled(tenantKey, at);
      case 'stopped':
        return tenants.stopped(tenantKey, at);
      case undefined:
    }
  }

  /** Feishu revoked a user's tokens. */
  private async revoked(event: FeishuEvent['event'], at: number): Promise<void> {
    const { open_id: openId, revoke_token_type: tokenTypes } = event;
    if (typeof openId !== 'string' || typeof tokenTypes !== 'string') return;
    await this.deps.logins?.revoked({ openId, tokenTypes, at });
  }
}

/** @param status `start_by_tenant`, `stop_by_tenant` or `stop_by_platform` */
function tenantStatusOf(eventType: string, status: unknown): 'enabled' | 'stopped' | undefined {
  if (eventType === 'app_open') return 'enabled';
  if (eventType === 'app_uninstalled') return 'stopped';
  if (eventType !== 'app_status_change' || typeof status !== 'string') return undefined;
  if (status.startsWith('start_')) return 'enabled';
  return status.startsWith('stop_') ? 'stopped' : undefined;
}
