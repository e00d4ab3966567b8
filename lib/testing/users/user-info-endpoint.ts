import { type EmulatorEndpoints } from '../emulator-endpoints.js';
import { type EmulatorReply, failure, json, success } from '../emulator-reply.js';
import { type EmulatorRequest } from '../emulator-request.js';
import { type EmulatedUserStatus } from './emulated-user.js';
import { type UserTokens } from './user-tokens.js';

/** This API refuses with HTTP 200. */
const REFUSALS: Partial<Record<EmulatedUserStatus, [code: number, msg: string]>> = {
  deleted: [20008, 'user not exist'],
  resigned: [20021, 'user resigned'],
  frozen: [20022, 'user frozen'],
};

/**
 * `GET /open-apis/authen/v1/user_info`: who the user of a token is.
 *
 * @internal
 */
export class UserInfoEndpoint {
  constructor(private readonly tokens: UserTokens) {}

  addTo(endpoints: EmulatorEndpoints): void {
    endpoints.add('GET', '/open-apis/authen/v1/user_info', (request) => this.answer(request));
  }

  private answer({ headers }: EmulatorRequest): EmulatorReply {
    const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) {
      return json({ code: 99991661, msg: 'Missing access token for authorization.' }, 400);
    }
    const identity = this.tokens.identify(token);
    const user = this.tokens.userOf(token);
    if (!identity || !user || !this.tokens.isAlive(token)) return failure(20005, 'invalid user access token');
    const refusal = REFUSALS[user.status];
    if (refusal) return failure(...refusal);
    const may = (scope: string): boolean => identity.scopes?.includes(scope) ?? false;
    return success({
      name: user.name,
      en_name: user.name,
      avatar_url: user.avatarUrl,
      avatar_thumb: user.avatarUrl,
      avatar_middle: user.avatarUrl,
      avatar_big: user.avatarUrl,
      open_id: user.openId,
      union_id: user.unionId,
      tenant_key: identity.tenantKey,
      ...(user.userId !== undefined && may('contact:user.employee_id:readonly') && { user_id: user.userId }),
      ...(user.email !== undefined && may('contact:user.email:readonly') && { email: user.email }),
    });
  }
}
