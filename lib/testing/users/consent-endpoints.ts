import { type EmulatorApps } from '../emulator-apps.js';
import { type EmulatorEndpoints } from '../emulator-endpoints.js';
import { type EmulatorReply } from '../emulator-reply.js';
import { type EmulatorRequest } from '../emulator-request.js';
import { randomText } from '../random-text.js';
import { consentPage, messagePage, userCodePage } from './consent-page.js';
import { type DeviceLogin, type DeviceLogins } from './device-logins.js';
import { type RegisteredUser, type UserDirectory } from './emulated-user.js';
import { type AuthorizationRequest, isPageError, type UserConsents } from './user-consents.js';

/** Where the browser is sent to. @internal */
export const AUTHORIZE_PATH = '/open-apis/authen/v1/authorize';
/** Where the user of a device goes. @internal */
export const DEVICE_PATH = '/oauth/v1/device/verify';
const DECISION_PATH = '/oauth/v1/emulator/decision';

/**
 * How the emulator answers for the user: it shows a page with the buttons, or approves or denies at once.
 *
 * @publicApi
 */
export type EmulatedConsentMode = 'page' | 'approve' | 'deny';

/** What waits for the user's decision on a page that was shown. */
type Pending = { kind: 'login'; request: AuthorizationRequest } | { kind: 'device'; login: DeviceLogin };

/**
 * The pages that a user sees in the browser.
 *
 * @internal
 */
export class ConsentEndpoints {
  private readonly pending = new Map<string, Pending>();

  constructor(
    private readonly apps: EmulatorApps,
    private readonly users: UserDirectory,
    private readonly consents: UserConsents,
    private readonly devices: DeviceLogins,
    private readonly mode: EmulatedConsentMode,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    endpoints.add('GET', AUTHORIZE_PATH, (request) => this.authorize(request));
    endpoints.add('GET', DEVICE_PATH, (request) => this.device(request));
    endpoints.add('POST', DECISION_PATH, (request) => this.decide(request));
  }

  private authorize({ query }: EmulatorRequest): EmulatorReply {
    const request = this.consents.read(query);
    if (isPageError(request)) {
      const { code, message } = request;
      return messagePage('This login cannot go on', code === 0 ? message : `${message} (${code})`, {
        status: 400,
        code: code === 0 ? -1 : code,
      });
    }
    if (this.mode === 'deny') return redirect(this.consents.deny(request));
    const user = this.users.current();
    if (!user) return noUser();
    if (this.mode === 'approve') return redirect(this.consents.approve(request, user));
    return this.ask({ kind: 'login', request }, request.app.name, request.scopes);
  }

  private device({ query }: EmulatorRequest): EmulatorReply {
    const userCode = query.get('user_code');
    if (userCode === null) return userCodePage(DEVICE_PATH);
    const login = this.devices.waiting(userCode);
    if (!login) return userCodePage(DEVICE_PATH, 'This code is wrong, used, or too old. Try again.');
    const user = this.users.current();
    if (!user) return noUser();
    const pending: Pending = { kind: 'device', login };
    if (this.mode !== 'page') return this.settle(pending, user, this.mode, login.scopes);
    return this.ask(pending, this.apps.find(login.appId)?.name ?? login.appId, login.scopes);
  }

  private ask(pending: Pending, appName: string, scopes: readonly string[]): EmulatorReply {
    const ticket = randomText(32);
    this.pending.set(ticket, pending);
    return consentPage({
      appName,
      scopes,
      users: this.users.all(),
      current: this.users.current(),
      ticket,
      action: DECISION_PATH,
    });
  }

  private async decide(request: EmulatorRequest): Promise<EmulatorReply> {
    const form = new URLSearchParams(await request.text());
    const ticket = form.get('ticket') ?? '';
    const pending = this.pending.get(ticket);
    const user = this.users.find(form.get('open_id') ?? '') ?? this.users.current();
    if (!pending || !user) {
      return messagePage('This page is used up', 'Start the login again.', { status: 400, code: -1 });
    }
    this.pending.delete(ticket);
    const decision = form.get('decision') === 'approve' ? 'approve' : 'deny';
    return this.settle(pending, user, decision, form.getAll('scope'));
  }

  private settle(
    pending: Pending,
    user: RegisteredUser,
    decision: 'approve' | 'deny',
    scopes: readonly string[],
  ): EmulatorReply {
    if (pending.kind === 'login') {
      const { request } = pending;
      return redirect(
        decision === 'approve' ? this.consents.approve(request, user, scopes) : this.consents.deny(request),
      );
    }
    if (decision === 'deny') {
      this.consents.denyDevice(pending.login);
      return messagePage('Denied', 'The device gets no access. You can close this page.');
    }
    this.consents.approveDevice(pending.login, user, scopes);
    return messagePage('Connected', 'Go back to your device. You can close this page.');
  }
}

function redirect(location: string): EmulatorReply {
  return { status: 302, code: 0, headers: { location, 'cache-control': 'no-store' }, body: '' };
}

function noUser(): EmulatorReply {
  const message =
    'The emulator knows no user. Add one: emulator.users.add({ openId }), or --user on the command line.';
  return messagePage('Nobody can log in', message, { status: 400, code: -1 });
}
