import * as v from 'valibot';
import { type ClientAuthentication } from './client-authentication.js';
import { malformedAnswer, successOf, unusableGrant } from './oauth-answer.js';
import { type OAuthAnswer, type OAuthClient } from './oauth-client.js';
import { type OAuthEndpoints } from './oauth-endpoints.js';
import { OAuthFailure } from './oauth-failure.js';

/** What the token endpoint granted for a code or a refresh token. Lives count from the moment the request was sent. */
export interface UserTokenGrant {
  readonly accessToken: string;
  readonly accessLifeMs: number;
  /** Absent where the scope `offline_access` was not granted, or where the one that was sent stays good. */
  readonly refreshToken: string | undefined;
  /** `undefined` where Feishu does not say it. */
  readonly refreshLifeMs: number | undefined;
  /** The scopes that the user has granted; `undefined` where Feishu does not say it. */
  readonly scopes: readonly string[] | undefined;
  /** Both clocks before the request was sent. */
  readonly startedAt: number;
  readonly startedMonotonic: number;
}

/** Who a user access token belongs to. */
export interface UserIdentity {
  readonly openId: string;
  readonly unionId: string | undefined;
  readonly userId: string | undefined;
  readonly tenantKey: string | undefined;
  readonly name: string | undefined;
  readonly avatarUrl: string | undefined;
}

/** A login that the user confirms on another device. */
export interface DeviceAuthorization {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  readonly expiresInMs: number;
  /** How long to wait between two polls. */
  readonly intervalMs: number;
}

/** @internal */
export interface RequestLimits {
  /** How long to wait for the answer, in milliseconds. @default requestTimeoutMs */
  readonly timeoutMs?: number | undefined;
  /** Ends the waiting. What became of the request is unknown then. */
  readonly signal?: AbortSignal | undefined;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** What the official command line tool assumes where an answer does not say it. */
const DEFAULT_ACCESS_LIFE_S = 7_200;
const DEFAULT_DEVICE_LIFE_S = 240;
const DEFAULT_POLL_INTERVAL_S = 5;
/** Longer lives would not fit into a `Date`. */
const MAX_LIFE_S = 10 * 366 * 86_400;

// A control character in a token would end up in a header.
const Token = v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/));
const Text = v.fallback(v.optional(v.pipe(v.string(), v.nonEmpty())), undefined);
const Seconds = v.fallback(
  v.optional(
    v.pipe(
      v.union([v.number(), v.string()]),
      v.transform(Number),
      v.finite(),
      v.gtValue(0),
      v.maxValue(MAX_LIFE_S),
    ),
  ),
  undefined,
);

const TokenAnswer = v.object({
  access_token: Token,
  token_type: Text,
  expires_in: Seconds,
  refresh_token: v.fallback(v.optional(Token), undefined),
  refresh_token_expires_in: Seconds,
  scope: v.fallback(v.optional(v.string()), undefined),
});

const DeviceAnswer = v.object({
  device_code: Token,
  user_code: v.pipe(v.string(), v.nonEmpty()),
  verification_uri: v.pipe(v.string(), v.url()),
  verification_uri_complete: v.fallback(v.optional(v.pipe(v.string(), v.url())), undefined),
  expires_in: Seconds,
  interval: Seconds,
});

const UserInfo = v.object({
  open_id: v.pipe(v.string(), v.nonEmpty()),
  union_id: Text,
  user_id: Text,
  tenant_key: Text,
  name: Text,
  avatar_url: Text,
});

/** @internal */
export interface OAuthGrantsOptions {
  readonly client: OAuthClient;
  readonly endpoints: OAuthEndpoints;
  readonly appId: string;
  readonly authenticate: ClientAuthentication;
}

/**
 * One method a grant. Every method throws an {@link OAuthFailure}, which says what became of the request.
 *
 * Fields: Feishu's pages on the token endpoint v2 and v3 and on `user_info`; revocation and the device flow are known from
 * the official command line tool.
 */
export class OAuthGrants {
  readonly #options: OAuthGrantsOptions;

  constructor(options: OAuthGrantsOptions) {
    this.#options = options;
  }

  /** For the code that a browser brought back. A code is good for one use, within 5 minutes. */
  exchangeCode(
    o: {
      readonly code: string;
      readonly redirectUri?: string | undefined;
      readonly codeVerifier?: string | undefined;
    },
    limits?: RequestLimits,
  ): Promise<UserTokenGrant> {
    const fields = { grant_type: 'authorization_code', code: o.code };
    const optional = { redirect_uri: o.redirectUri, code_verifier: o.codeVerifier };
    return this.grant({ ...fields, ...defined(optional) }, limits);
  }

  /** For a refresh token. It is good for one use: once Feishu has answered, only the new one is. */
  refresh(refreshToken: string, limits?: RequestLimits): Promise<UserTokenGrant> {
    return this.grant({ grant_type: 'refresh_token', refresh_token: refreshToken }, limits);
  }

  /**
   * One poll of a device login. While the user has not decided, it throws a failure whose `oauthError` is
   * `authorization_pending` or `slow_down`.
   */
  pollDevice(deviceCode: string, limits?: RequestLimits): Promise<UserTokenGrant> {
    return this.grant({ grant_type: DEVICE_GRANT, device_code: deviceCode }, limits, 'form');
  }

  /** Begins a device login. */
  async authorizeDevice(scopes: readonly string[], limits?: RequestLimits): Promise<DeviceAuthorization> {
    const url = this.#options.endpoints.deviceAuthorization;
    const { client_secret, ...authentication } = await this.authentication(url, limits);
    const { appId } = this.#options;
    const basic = Buffer.from(`${appId}:${client_secret ?? ''}`).toString('base64');
    const answer = await this.#options.client.send({
      method: 'POST',
      url,
      headers: client_secret === undefined ? {} : { authorization: `Basic ${basic}` },
      body: {
        encoding: 'form',
        fields: {
          client_id: appId,
          scope: scopes.join(' '),
          ...authentication,
          ...defined({ client_secret }),
        },
      },
      ...limits,
    });
    const parsed = parse(DeviceAnswer, answer, successOf(answer));
    return {
      deviceCode: parsed.device_code,
      userCode: parsed.user_code,
      verificationUri: parsed.verification_uri,
      verificationUriComplete: parsed.verification_uri_complete,
      expiresInMs: (parsed.expires_in ?? DEFAULT_DEVICE_LIFE_S) * 1_000,
      intervalMs: (parsed.interval ?? DEFAULT_POLL_INTERVAL_S) * 1_000,
    };
  }

  /** Makes a token worthless at Feishu. An empty answer, or one that is not JSON, is a success. */
  async revoke(token: string, hint: 'refresh_token' | 'access_token', limits?: RequestLimits): Promise<void> {
    const url = this.#options.endpoints.revoke;
    const authentication = await this.authentication(url, limits);
    const fields = { client_id: this.#options.appId, ...authentication, token, token_type_hint: hint };
    const answer = await this.#options.client.send({
      method: 'POST',
      url,
      body: { encoding: 'form', fields },
      ...limits,
    });
    const isOk = answer.status >= 200 && answer.status < 300;
    if (!isOk || answer.body) successOf(answer);
  }

  /** Who the token belongs to. The token answer itself does not say it. */
  async userInfo(accessToken: string, limits?: RequestLimits): Promise<UserIdentity> {
    const answer = await this.#options.client.send({
      method: 'GET',
      url: this.#options.endpoints.userInfo,
      headers: { authorization: `Bearer ${accessToken}` },
      ...limits,
    });
    const user = parse(UserInfo, answer, successOf(answer)['data']);
    return {
      openId: user.open_id,
      unionId: user.union_id,
      userId: user.user_id,
      tenantKey: user.tenant_key,
      name: user.name,
      avatarUrl: user.avatar_url,
    };
  }

  private async grant(
    fields: Readonly<Record<string, string>>,
    limits: RequestLimits | undefined,
    encoding: 'json' | 'form' = 'json',
  ): Promise<UserTokenGrant> {
    const { client, endpoints, appId } = this.#options;
    const authentication = await this.authentication(endpoints.token, limits);
    const answer = await client.send({
      method: 'POST',
      url: endpoints.token,
      body: { encoding, fields: { ...fields, client_id: appId, ...authentication } },
      ...limits,
    });
    return toGrant(answer, successOf(answer));
  }

  private async authentication(
    url: string,
    limits: RequestLimits | undefined,
  ): Promise<Readonly<Record<string, string>>> {
    try {
      return await this.#options.authenticate({ url, signal: limits?.signal });
    } catch (cause) {
      const message = 'the app could not be authenticated: its client assertion was not made';
      const details = { cause, retryable: true };
      throw new OAuthFailure('ERR_FEISHU_PLATFORM_UNAVAILABLE', message, 'not-sent', details);
    }
  }
}

function toGrant(answer: OAuthAnswer, body: Readonly<Record<string, unknown>>): UserTokenGrant {
  const { token_type = 'Bearer', ...tokens } = parse(TokenAnswer, answer, body);
  if (token_type.toLowerCase() !== 'bearer') {
    throw unusableGrant(
      answer,
      `Feishu granted a token of the type ${answer.clean(token_type)} instead of Bearer`,
    );
  }
  return {
    accessToken: tokens.access_token,
    accessLifeMs: (tokens.expires_in ?? DEFAULT_ACCESS_LIFE_S) * 1_000,
    refreshToken: tokens.refresh_token,
    refreshLifeMs: tokens.refresh_token_expires_in && tokens.refresh_token_expires_in * 1_000,
    scopes: tokens.scope?.split(/\s+/).filter((scope) => scope !== ''),
    startedAt: answer.startedAt,
    startedMonotonic: answer.startedMonotonic,
  };
}

function parse<TSchema extends v.GenericSchema>(
  schema: TSchema,
  answer: OAuthAnswer,
  body: unknown,
): v.InferOutput<TSchema> {
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // The field's name only: its value may be a token.
  const field = v.getDotPath(issue) ?? 'data';
  throw malformedAnswer(answer, `the answer's field ${field} is missing or wrong`);
}

function defined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}
