import { type EmulatorApps, type RegisteredApp } from './emulator-apps.js';
import { type EmulatorReply, json } from './emulator-reply.js';
import { type EmulatedIdentity, type EmulatorTokens } from './emulator-tokens.js';
import { type UserTokens } from './users/user-tokens.js';

/** @internal */
export interface BearerCheckOptions {
  tokenErrorStatus: 200 | 400;
  unifiedTokens: boolean;
}

const INVALID_TOKEN =
  'Invalid access token for authorization. Please make a test attempt with the correct token.';

/**
 * Whether the bearer of a request may call an API. Feishu refuses with HTTP 400 and a `code`, never with 401.
 *
 * @internal
 */
export class BearerCheck {
  constructor(
    private readonly apps: EmulatorApps,
    private readonly tokens: EmulatorTokens,
    private readonly userTokens: UserTokens,
    private readonly options: BearerCheckOptions,
  ) {}

  /**
   * @param userScopes what the API needs of a user: one of these scopes; nothing if empty
   * @returns whom the bearer stands for, or the refusal
   */
  check(
    authorization: string | undefined,
    accepts: readonly EmulatedIdentity['kind'][],
    userScopes: readonly string[] = [],
  ): EmulatedIdentity | EmulatorReply {
    const value = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (value === undefined) {
      return refuse(
        99991661,
        'Missing access token for authorization. Please make a request with token attached.',
      );
    }
    const identity = this.tokens.identify(value) ?? this.userTokens.identify(value);
    const app = identity && this.apps.find(identity.appId);
    const isTenantGone = app?.appType === 'store' && identity?.tenantKey !== undefined;
    if (isTenantGone && identity.kind === 'tenant' && !app.tenantKeys.has(identity.tenantKey ?? '')) {
      return this.refuseToken(99991665, 'invalid tenant code');
    }
    if (!identity || !app || !this.isLive(value, identity, app)) {
      return this.refuseToken(codeForDeadToken(value, accepts), INVALID_TOKEN);
    }
    if (app.disabled) return refuse(99991662, 'app is disabled');
    // In the unified form a self-built app has one token, which serves as either kind.
    const servesAsApp = this.options.unifiedTokens && app.appType === 'self-built' && accepts.includes('app');
    if (accepts.includes(identity.kind) || servesAsApp)
      return missingScopes(identity, userScopes) ?? identity;
    if (identity.kind === 'user') return this.refuseToken(99991668, 'user access token not support');
    return accepts.includes('app')
      ? this.refuseToken(99991664, 'invalid app_access_token')
      : this.refuseToken(99991663, `${identity.kind} access token not support`);
  }

  private isLive(value: string, { kind, tenantKey = '' }: EmulatedIdentity, app: RegisteredApp): boolean {
    if (kind !== 'user') return this.tokens.isLive(value);
    return this.userTokens.isLive(value) && this.apps.isInstalledIn(app.appId, tenantKey);
  }

  private refuseToken(code: number, msg: string): EmulatorReply {
    return refuse(code, msg, this.options.tokenErrorStatus);
  }
}

/** @internal */
export function isRefusal(result: EmulatedIdentity | EmulatorReply): result is EmulatorReply {
  return 'status' in result;
}

function refuse(code: number, msg: string, status = 400): EmulatorReply {
  return json({ code, msg }, status);
}

/** One of the scopes is enough; Feishu names all that would do, in the text and in `permission_violations`. */
function missingScopes(
  { kind, scopes: granted = [] }: EmulatedIdentity,
  needed: readonly string[],
): EmulatorReply | undefined {
  if (kind !== 'user' || needed.length === 0 || needed.some((scope) => granted.includes(scope)))
    return undefined;
  const msg =
    'Unauthorized. You do not have permission to perform the requested operation on the resource. ' +
    'Please request user re-authorization and try again. ' +
    `required one of these privileges under the user identity: [${needed.join(', ')}]`;
  const violations = needed.map((subject) => ({ type: 'action_privilege_required', subject }));
  return json({ code: 99991679, msg, error: { permission_violations: violations } }, 400);
}

function codeForDeadToken(value: string, accepts: readonly EmulatedIdentity['kind'][]): number {
  if (value.startsWith('u-') || value.startsWith('eyJ')) return 99991668;
  const wantsAppToken = accepts.includes('app') && (!accepts.includes('tenant') || value.startsWith('a-'));
  return wantsAppToken ? 99991664 : 99991663;
}
