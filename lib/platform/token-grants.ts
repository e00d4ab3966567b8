import * as v from 'valibot';
import { malformed, type FeishuPlatformClient, type PlatformAnswer } from './feishu-platform.client.js';

/** A token from Feishu's answer. */
export interface TokenGrant {
  readonly value: string;
  /** Its remaining life when the request was sent, in milliseconds. */
  readonly expireMs: number;
  /** Both clocks before the request was sent. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
}

// The token is sent in a header, where control characters are not allowed.
const Token = v.pipe(
  v.string(),
  v.regex(/^[\x21-\x7e]+$/, 'contains characters that a token cannot contain'),
);
/** Feishu's tokens live two hours at most, so an answer with more than a day is wrong. */
const MAX_EXPIRE_S = 86_400;
const ExpireSeconds = v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(MAX_EXPIRE_S));

const TenantToken = v.object({ tenant_access_token: Token, expire: ExpireSeconds });
const AppToken = v.object({ app_access_token: Token, expire: ExpireSeconds });

const AUTH = '/open-apis/auth/v3';

/**
 * One function per grant. Source of paths and fields: Feishu's documentation of `auth/v3`. Tokens are top-level fields;
 * `expire` is the remaining life in seconds.
 */
export class TokenGrants {
  constructor(
    private readonly client: FeishuPlatformClient,
    private readonly appId: string,
    private readonly appSecret: string,
  ) {}

  /** Self-built app: `tenant_access_token`. */
  selfBuiltTenant(signal: AbortSignal): Promise<TokenGrant> {
    return this.tenantGrant(`${AUTH}/tenant_access_token/internal`, this.credentials(), signal);
  }

  /** Self-built app: `app_access_token`. */
  selfBuiltApp(signal: AbortSignal): Promise<TokenGrant> {
    return this.appGrant(`${AUTH}/app_access_token/internal`, this.credentials(), signal);
  }

  /** Store app: `app_access_token`, for the `app_ticket`. */
  storeApp(appTicket: string, signal: AbortSignal): Promise<TokenGrant> {
    return this.appGrant(
      `${AUTH}/app_access_token`,
      { ...this.credentials(), app_ticket: appTicket },
      signal,
    );
  }

  /** Store app: one tenant's `tenant_access_token`, for the `app_access_token`. */
  storeTenant(appAccessToken: string, tenantKey: string, signal: AbortSignal): Promise<TokenGrant> {
    const body = { app_access_token: appAccessToken, tenant_key: tenantKey };
    return this.tenantGrant(`${AUTH}/tenant_access_token`, body, signal);
  }

  /** Store app: asks Feishu to push the `app_ticket` again. The ticket arrives as an event. */
  async resendAppTicket(signal: AbortSignal): Promise<void> {
    await this.client.post(`${AUTH}/app_ticket/resend`, this.credentials(), signal);
  }

  private credentials(): { app_id: string; app_secret: string } {
    return { app_id: this.appId, app_secret: this.appSecret };
  }

  private async tenantGrant(
    path: string,
    body: Record<string, string>,
    signal: AbortSignal,
  ): Promise<TokenGrant> {
    const answer = await this.client.post(path, body, signal);
    const { tenant_access_token, expire } = parse(TenantToken, path, answer);
    return grant(tenant_access_token, expire, answer);
  }

  private async appGrant(
    path: string,
    body: Record<string, string>,
    signal: AbortSignal,
  ): Promise<TokenGrant> {
    const answer = await this.client.post(path, body, signal);
    const { app_access_token, expire } = parse(AppToken, path, answer);
    return grant(app_access_token, expire, answer);
  }
}

function parse<TSchema extends v.GenericSchema>(
  schema: TSchema,
  path: string,
  answer: PlatformAnswer,
): v.InferOutput<TSchema> {
  const parsed = v.safeParse(schema, answer.body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // Only the field's name: its value may be a token.
  throw malformed(
    path,
    `the field ${v.getDotPath(issue) ?? '?'} of the answer is missing or wrong; check whether a proxy changes answers`,
    answer.logId,
  );
}

function grant(value: string, expireSeconds: number, answer: PlatformAnswer): TokenGrant {
  const { startedAt, startedMonotonic } = answer;
  return { value, expireMs: expireSeconds * 1_000, startedAt, startedMonotonic };
}
