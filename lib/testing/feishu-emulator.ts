import { type IncomingMessage } from 'node:http';
import { AuthEndpoints } from './auth-endpoints.js';
import { BearerCheck } from './bearer-check.js';
import { BusinessEndpoints } from './business-endpoints.js';
import { EmulatorApis } from './emulator-apis.js';
import { EmulatorApps } from './emulator-apps.js';
import { EmulatorClock } from './emulator-clock.js';
import { EmulatorEndpoints } from './emulator-endpoints.js';
import { EmulatorEvents } from './emulator-events.js';
import { EmulatorFaults, type FaultOutcome } from './emulator-faults.js';
import { type EmulatorReply, NO_CODE, notFound, text } from './emulator-reply.js';
import { EmulatorRequest, withoutTrailingSlash } from './emulator-request.js';
import { EmulatorSchedule } from './emulator-schedule.js';
import { EmulatorServer } from './emulator-server.js';
import { EmulatorTenants } from './emulator-tenants.js';
import { EmulatorTickets } from './emulator-tickets.js';
import { EmulatorTokens, type RevokeOptions } from './emulator-tokens.js';
import {
  type RequestLogEntry,
  type FeishuEmulatorOptions,
  type ResolvedEmulatorOptions,
  resolveEmulatorOptions,
} from './feishu-emulator.options.js';
import { createLogId } from './log-id.js';
import { ProbeEndpoints } from './probe-endpoints.js';
import { Accounts } from './users/accounts.js';
import { type EmulatedLogin } from './users/emulated-login.js';
import { UserDirectory } from './users/emulated-user.js';
import { type EmulatorUsers } from './users/emulator-users.js';
import { isTokenPath } from './users/oauth-token-endpoint.js';
import { UserTokens } from './users/user-tokens.js';

/**
 * A Feishu that runs on loopback: real HTTP, the documented answers with their oddities, a clock that a test moves, and
 * faults that a test chooses. Point `domain` of any Feishu client at it.
 *
 * @example
 * const emulator = await FeishuEmulator.start({ apps: [{ appId: 'cli_a1b2c3', appSecret: 's3cret' }] });
 * FeishuAuthModule.forRoot({ appId: 'cli_a1b2c3', appSecret: 's3cret', domain: emulator.domain });
 * await emulator.stop();
 *
 * @publicApi
 */
export class FeishuEmulator {
  /** The platform's clock. Tokens are judged by it. */
  readonly clock = new EmulatorClock();
  /** The apps that the platform knows. */
  readonly apps: EmulatorApps;
  /** The `app_ticket` of store apps. */
  readonly tickets = new EmulatorTickets();
  private readonly schedule = new EmulatorSchedule(this.clock);
  /** What the platform pushes to an app's event URL. */
  readonly events = new EmulatorEvents(this.clock, this.schedule, this.tickets);
  /** The tenants of store apps, who come and go. */
  readonly tenants: EmulatorTenants;
  /** The people who log in, and what they decide. */
  readonly users: EmulatorUsers;
  /** Every exchange of a code or a refresh token that worked, in order. Set its `length` to 0 to start over. */
  readonly logins: EmulatedLogin[];
  /** What goes wrong. */
  readonly faults = new EmulatorFaults();
  /** APIs to add to the few that are built in. */
  readonly apis: EmulatorApis;
  /** Every request so far, in the order they came in. Set its `length` to 0 to start over. */
  readonly requests: RequestLogEntry[] = [];

  private readonly tokens: EmulatorTokens;
  private readonly userTokens: UserTokens;
  private readonly endpoints = new EmulatorEndpoints();
  private readonly server = new EmulatorServer((message) => this.answer(message));
  private origin = '';

  private constructor(private readonly options: ResolvedEmulatorOptions) {
    this.tokens = new EmulatorTokens(this.clock, {
      lifetimeSeconds: options.tokenLifetimeSeconds,
      renewalWindowSeconds: options.renewalWindowSeconds,
    });
    this.apps = new EmulatorApps(this.tickets, this.tokens);
    this.tenants = new EmulatorTenants(this.apps, this.events);
    const directory = new UserDirectory();
    this.userTokens = new UserTokens(this.clock, directory, options.oauth);
    this.logins = this.userTokens.logins;
    const { apps, clock, events, userTokens } = this;
    const accounts = new Accounts(apps, events, clock, directory, userTokens, options.oauth);
    this.users = accounts.users;
    const bearer = new BearerCheck(apps, this.tokens, userTokens, options);
    this.apis = new EmulatorApis(this.endpoints, bearer);
    new AuthEndpoints(this.apps, this.tokens, this.tickets, options).addTo(this.endpoints);
    new BusinessEndpoints(bearer, this.clock).addTo(this.endpoints);
    new ProbeEndpoints(bearer, (ms) => this.server.wait(ms)).addTo(this.endpoints);
    accounts.addTo(this.endpoints, () => this.origin);
    for (const app of options.apps) apps.add(app);
    for (const user of options.users) this.users.add(user);
  }

  /** Starts one, on a free port unless told otherwise. */
  static async start(options: FeishuEmulatorOptions = {}): Promise<FeishuEmulator> {
    const emulator = new FeishuEmulator(resolveEmulatorOptions(options));
    await emulator.server.listen(emulator.options.port, emulator.options.host);
    emulator.origin = emulator.server.origin;
    return emulator;
  }

  /** The origins of the platform, in the shape of the option `domain` of `FeishuAuthModule`. */
  get domain(): { open: string; accounts: string } {
    return { open: this.origin, accounts: this.origin };
  }

  /** The requests so far to this path (a slash at the end does not matter), or whose path matches. */
  requestsTo(path: string | RegExp): RequestLogEntry[] {
    if (typeof path !== 'string') return this.requests.filter((request) => request.path.search(path) !== -1);
    const wanted = withoutTrailingSlash(path);
    return this.requests.filter((request) => withoutTrailingSlash(request.path) === wanted);
  }

  /**
   * Ends a token before its time: every API refuses it at once, and an app that asks for a token gets a new one. Also
   * ends one user access token or refresh token.
   *
   * @returns whether the emulator had issued this token
   */
  revoke(tokenValue: string, options?: RevokeOptions): boolean {
    return this.tokens.revoke(tokenValue, options) || this.userTokens.revoke(tokenValue);
  }

  /** Closes the port and every connection, hanging ones too. A second call waits for the first. */
  async stop(): Promise<void> {
    this.schedule.stop();
    await Promise.all([this.events.stop(), this.server.stop()]);
  }

  private async answer(message: IncomingMessage): Promise<EmulatorReply | 'reset' | 'hang'> {
    const request = new EmulatorRequest(message);
    const logId = createLogId(this.clock.now());
    const entry: RequestLogEntry = {
      method: request.method,
      path: request.path,
      at: this.clock.now(),
      status: 0,
      code: NO_CODE,
      logId,
    };
    this.requests.push(entry);
    const grantType = await grantTypeOf(request);
    const fault = this.faults.strike(request.path, 'request', grantType);
    await this.server.wait(this.latencyOf(request.path) + fault.latencyMs);
    const reply = fault.kind ?? (await this.reply(request, fault, grantType));
    if (typeof reply !== 'string') {
      entry.status = reply.status;
      entry.code = reply.code;
      reply.headers = { 'x-tt-logid': logId, ...reply.headers };
      entry.logId = reply.headers['x-tt-logid'] ?? logId;
    }
    this.options.onRequest?.({ ...entry });
    return reply;
  }

  private async reply(
    request: EmulatorRequest,
    fault: FaultOutcome,
    grantType: string | undefined,
  ): Promise<EmulatorReply | 'reset' | 'hang'> {
    const handle = this.endpoints.find(request.method, request.path);
    const reply = fault.reply ?? (handle ? await handle(request).catch(bug) : notFound());
    const after = this.faults.strike(request.path, 'answer', grantType);
    await this.server.wait(after.latencyMs);
    if (after.kind) return after.kind;
    const headers = { ...fault.headers, ...after.headers };
    const sent = after.reply ?? reply;
    return { ...sent, headers: { ...sent.headers, ...headers } };
  }

  private latencyOf(path: string): number {
    const { latencyMs } = this.options;
    return typeof latencyMs === 'number' ? latencyMs : (latencyMs[withoutTrailingSlash(path)] ?? 0);
  }
}

/** The `grant_type` of a request to a token endpoint, which faults may be for. */
async function grantTypeOf(request: EmulatorRequest): Promise<string | undefined> {
  if (!isTokenPath(request.path)) return undefined;
  return (await request.parameters())?.['grant_type'] ?? '';
}

/** An API that a test added has thrown: say so, instead of leaving the client without an answer. */
function bug(error: unknown): EmulatorReply {
  return text(`the emulated API failed: ${error instanceof Error ? error.message : String(error)}`, 500);
}
