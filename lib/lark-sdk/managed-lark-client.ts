import * as lark from '@larksuiteoapi/node-sdk';
import { type TokenService } from '../token.service.js';
import { authorizationOf, markCallerAuthorization, withAuthorization } from './caller-authorization.js';
import {
  type LarkCallOptions,
  type LarkClientParams,
  type LarkPayload,
  tenantKeyOf,
  userAccessTokenOf,
  withoutTokenLookup,
} from './sdk.js';

/**
 * The SDK's client with three corrections: a token of the caller has priority, the caller's options are not changed, and
 * a store app's call without a tenant is an error instead of a call without a token.
 */
export class ManagedLarkClient extends lark.Client {
  readonly #tokens: TokenService;

  constructor(tokens: TokenService, params: LarkClientParams) {
    super(params);
    this.#tokens = tokens;
  }

  override async formatPayload(
    payload?: LarkPayload,
    options?: LarkCallOptions,
  ): Promise<Required<LarkPayload>> {
    const authorization = callersAuthorization(payload, options);
    // A copy: the SDK writes the token into the options, which the caller may use again.
    const copy: LarkCallOptions = { ...options, headers: { ...options?.headers } };
    if (authorization === undefined) {
      if (!this.disableTokenCache) this.assertTenant(options);
      return super.formatPayload(payload, copy);
    }
    const formatted = await super.formatPayload(payload, withoutTokenLookup(copy));
    const headers = markCallerAuthorization(withAuthorization(formatted.headers, authorization));
    return { ...formatted, headers: headers as Record<string, string> };
  }

  /** The SDK would send the call without a token. @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  private assertTenant(options: LarkCallOptions | undefined): void {
    if (this.appType === lark.AppType.ISV && tenantKeyOf(options) === undefined) {
      this.#tokens.handle({ kind: 'tenant' });
    }
  }
}

/** Reads `withUserAccessToken()`, else `withTenantToken()`, else a header of the request. */
function callersAuthorization(
  payload: LarkPayload | undefined,
  options: LarkCallOptions | undefined,
): string | undefined {
  const userAccessToken = userAccessTokenOf(options);
  if (userAccessToken !== undefined) return `Bearer ${userAccessToken}`;
  return authorizationOf(options?.headers) ?? authorizationOf(payload?.headers);
}
