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
 * The SDK's client, mended where every call passes through: a token that the caller gives always wins, options that are
 * given are not written into, and a store app's call for no tenant is an error instead of a call without a token.
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
    // The SDK writes the token it has chosen into the options: into this copy, so that the caller's can be used again.
    const copy: LarkCallOptions = { ...options, headers: { ...options?.headers } };
    if (authorization === undefined) {
      if (!this.disableTokenCache) this.assertTenant(options);
      return super.formatPayload(payload, copy);
    }
    const formatted = await super.formatPayload(payload, withoutTokenLookup(copy));
    const headers = markCallerAuthorization(withAuthorization(formatted.headers, authorization));
    return { ...formatted, headers: headers as Record<string, string> };
  }

  /** The SDK would go on without a token. @throws FeishuAuthError `ERR_FEISHU_INVALID_ARGUMENT` */
  private assertTenant(options: LarkCallOptions | undefined): void {
    if (this.appType === lark.AppType.ISV && tenantKeyOf(options) === undefined) {
      this.#tokens.handle({ kind: 'tenant' });
    }
  }
}

/** `withUserAccessToken()`, else `withTenantToken()`, else a header of the request itself. */
function callersAuthorization(
  payload: LarkPayload | undefined,
  options: LarkCallOptions | undefined,
): string | undefined {
  const userAccessToken = userAccessTokenOf(options);
  if (userAccessToken !== undefined) return `Bearer ${userAccessToken}`;
  return authorizationOf(options?.headers) ?? authorizationOf(payload?.headers);
}
