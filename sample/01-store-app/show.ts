import { type INestApplication } from '@nestjs/common';
import { AppTicketService, isFeishuAuthError, TokenService } from 'nestjs-feishu-auth';
import { type EmulatedDelivery, type FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { MessageService } from './message.service.js';
import { APP, EVENTS, Platform, TENANTS } from './platform.js';

const [RED, GREEN] = TENANTS;
const RESEND = '/open-apis/auth/v3/app_ticket/resend';

/** A store app's life in a minute's reading; what does not come out as it should ends the process with an error. */
export async function show(app: INestApplication): Promise<void> {
  const { emulator } = app.get(Platform);
  const tokens = app.get(TokenService);

  console.log('nestjs-feishu-auth: a store app with three tenants, on an emulator in this process.');
  await theUrl();
  await theTicket();
  await theTokens();
  await aMessage();
  await aTenantLeaves();
  await aForgery();
  console.log(`\nThe endpoint's figures:\n${indented(JSON.stringify(tokens.metrics().events, null, 2))}`);

  async function theUrl(): Promise<void> {
    heading('1. The event URL');
    const url = `${await app.getUrl()}/feishu/events`;
    emulator.events.subscribe({ appId: APP.appId, url, ...EVENTS });
    check(await emulator.events.verifyUrl(APP.appId), `${url} answers the challenge of the console`);
  }

  async function theTicket(): Promise<void> {
    heading('2. The app_ticket');
    const ticket = await app.get(AppTicketService).waitForTicket();
    const asked = emulator.requestsTo(RESEND).length;
    check(asked === 1, 'there was none: it was asked for, once');
    check(
      ticket === emulator.apps.ticket(APP.appId),
      'and was pushed to the event URL, signed and encrypted',
    );
  }

  async function theTokens(): Promise<void> {
    heading('3. Three tenants');
    const values = await Promise.all(TENANTS.map((tenantKey) => tokens.getTenantAccessToken({ tenantKey })));
    check(new Set(values).size === TENANTS.length, `a token for each of ${TENANTS.join(', ')}`);
    check(appTokenRequests(emulator) === 1, 'for one app_access_token');
  }

  async function aMessage(): Promise<void> {
    heading('4. A message event');
    const answered = app.get(MessageService).next();
    const delivery = await pushMessage(emulator, GREEN, 'hello');
    check(delivery.isAcknowledged, 'was acknowledged');
    const { text, tenantKey, code } = await answered;
    check(text === 'hello' && tenantKey === GREEN, 'reached @OnFeishuEvent in MessageService');
    check(code === 0, `which answered it in the name of ${tenantKey}`);
    const again = await emulator.events.push(APP.appId, {
      ...message(GREEN, 'hello'),
      eventId: delivery.eventId,
    });
    check(again.isAcknowledged, 'delivered again, it was acknowledged, and not handled again');
  }

  async function aTenantLeaves(): Promise<void> {
    heading(`5. ${RED} uninstalls the app`);
    await emulator.tenants.uninstall(APP.appId, RED);
    const error: unknown = await tokens
      .getTenantAccessToken({ tenantKey: RED })
      .catch((reason: unknown) => reason);
    check(
      isFeishuAuthError(error, 'ERR_FEISHU_TENANT_REJECTED'),
      'its token is gone: ERR_FEISHU_TENANT_REJECTED',
    );
    const others = tokens.handle({ kind: 'tenant', tenantKey: GREEN }).peek();
    check(others !== undefined, 'the others have theirs');
    await emulator.tenants.install(APP.appId, RED);
    const back = await tokens.getTenantAccessToken({ tenantKey: RED });
    check(back !== '', 'installed again, it has one at once');
  }

  async function aForgery(): Promise<void> {
    heading('6. A forged event');
    const before = await app.get(AppTicketService).current();
    const { request } = await pushMessage(emulator, GREEN, 'what a forger saw');
    const forged = request.body.replace(/.(?="})/, (last) => (last === 'A' ? 'B' : 'A'));
    const statuses = [
      await emulator.events.send(APP.appId, { ...request, body: forged }),
      await emulator.events.send(APP.appId, request),
      await emulator.events.send(APP.appId, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          type: 'event_callback',
          uuid: '1',
          token: EVENTS.verificationToken,
          event: { type: 'app_ticket', app_id: APP.appId, app_ticket: 'mine' },
        }),
      }),
    ];
    check(
      statuses.every((status) => status === 403),
      'one byte changed, sent a second time, or in plain text: 403 each',
    );
    check((await app.get(AppTicketService).current()) === before, 'and nothing has changed');
  }
}

function message(tenantKey: string, text: string) {
  const content = JSON.stringify({ text });
  return { type: 'im.message.receive_v1', tenantKey, event: { message: { chat_id: 'oc_team', content } } };
}

function pushMessage(emulator: FeishuEmulator, tenantKey: string, text: string): Promise<EmulatedDelivery> {
  return emulator.events.push(APP.appId, message(tenantKey, text));
}

function appTokenRequests(emulator: FeishuEmulator): number {
  return emulator.requestsTo('/open-apis/auth/v3/app_access_token').filter(({ code }) => code === 0).length;
}

function heading(text: string): void {
  console.log(`\n${text}`);
}

function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`);
  console.log(`   ✓ ${what}`);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}
