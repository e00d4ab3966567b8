import { FeishuAuthError, isFeishuAuthError } from '../errors/feishu-auth.error.js';
import { type OAuthGrants, type UserIdentity, type UserTokenGrant } from '../platform/oauth/oauth-grants.js';
import { type Clock } from '../time/clock.js';
import { type FeishuUser } from '../users/feishu-user.js';
import { type UserLogins } from '../users/user-logins.js';

/** The grant cannot be repeated, so who it belongs to is asked more than once. */
const PAUSES_MS = [200, 600];

/** @internal */
export interface LoginCompletionOptions {
  readonly grants: Pick<OAuthGrants, 'userInfo'>;
  readonly logins: Pick<UserLogins, 'begin'>;
  readonly clock: Clock;
}

/** From a grant to a stored login. A caller that gives up changes nothing here: the code is used up. */
export class LoginCompletion {
  readonly #options: LoginCompletionOptions;

  constructor(options: LoginCompletionOptions) {
    this.#options = options;
  }

  /** @throws FeishuAuthError the user has to log in again */
  async complete(grant: UserTokenGrant): Promise<FeishuUser> {
    const user = userOf(await this.identityOf(grant), grant);
    await this.#options.logins.begin(user, grant);
    return user;
  }

  private async identityOf({ accessToken }: UserTokenGrant): Promise<UserIdentity> {
    const { grants, clock } = this.#options;
    for (const pauseMs of PAUSES_MS) {
      try {
        return await grants.userInfo(accessToken);
      } catch (error) {
        if (!isFeishuAuthError(error) || !error.retryable) throw unidentified(error);
        await clock.sleep(pauseMs, undefined, { ref: true });
      }
    }
    return grants.userInfo(accessToken).catch((error: unknown) => {
      throw unidentified(error);
    });
  }
}

function userOf(identity: UserIdentity, { scopes = [] }: UserTokenGrant): FeishuUser {
  const { openId, unionId, userId, tenantKey, name, avatarUrl } = identity;
  return {
    openId,
    ...(unionId !== undefined && { unionId }),
    ...(userId !== undefined && { userId }),
    ...(tenantKey !== undefined && { tenantKey }),
    ...(name !== undefined && { name }),
    ...(avatarUrl !== undefined && { avatarUrl }),
    scopes: [...scopes],
  };
}

/** Asking again with the same code is of no use: it is not retryable. */
function unidentified(error: unknown): unknown {
  if (!isFeishuAuthError(error)) return error;
  const { code, message, feishuCode, logId, reason, challengeUrl } = error;
  const details = { feishuCode, logId, reason, challengeUrl, cause: error };
  return new FeishuAuthError(
    code,
    `Feishu granted the login and did not say whose it is; the user has to log in again: ${message}`,
    details,
  );
}
