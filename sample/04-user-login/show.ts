import { type INestApplication } from '@nestjs/common';
import { FeishuLoginService, TokenService } from 'nestjs-feishu-auth';
import { type FeishuEmulator } from 'nestjs-feishu-auth/testing';
import { ANN, BOB } from './accounts.js';
import { ProfileService } from './profile.service.js';
import { Visitor } from './visitor.js';

export interface Stage {
  readonly emulator: FeishuEmulator;
  app: INestApplication;
  readonly url: string;
  /** Ends the application and starts it again on the same folder. */
  restart(): Promise<void>;
}

/** Runs the demonstration. @returns whether everything came out right */
export async function show(stage: Stage): Promise<boolean> {
  const { emulator, url } = stage;
  let isRight = true;
  const check = (what: string, holds: boolean): void => {
    console.log(`   ${holds ? '✓' : '✗'} ${what}`);
    isRight &&= holds;
  };
  const status = (openId: string) => stage.app.get(FeishuLoginService).status(openId);
  const sees = async (visitor: Visitor): Promise<string> => (await visitor.get(`${url}/`)).text();

  console.log('\nAnn logs in');
  const ann = new Visitor();
  const away = await ann.get(`${url}/auth/feishu?returnTo=/`);
  const { url: callback } = emulator.users.approve(away.headers.get('location') ?? '', {
    openId: ANN.openId,
  });
  const back = await ann.get(callback);
  check('Feishu sends her back, and the application greets her', (await sees(ann)).includes('Hello, Ann'));
  check('the login is stored before her session begins', (await status(ANN.openId)).state === 'active');
  check('she ends up where she began', back.headers.get('location') === '/');

  console.log('\nSomebody else has the address that she came back with');
  const stranger = new Visitor();
  check('another browser is refused', (await stranger.get(callback)).status === 400);
  check('so is her own, a second time', (await ann.get(callback)).status === 400);
  check('Feishu was asked once', emulator.logins.length === 1);

  console.log('\nBob says no');
  const bob = new Visitor();
  const asked = await bob.get(`${url}/auth/feishu`);
  const denied = await bob.get(emulator.users.deny(asked.headers.get('location') ?? '').url);
  check('the answer is 403', denied.status === 403);
  check('nothing is stored', (await status(BOB.openId)).state === 'absent');

  console.log('\nThe application restarts');
  await stage.restart();
  check("Ann's session is over: it was in memory", (await sees(ann)).includes('Log in with Feishu'));
  check('her Feishu login is not: it was in a file', (await status(ANN.openId)).state === 'active');

  console.log('\nA background job acts for her, without a browser');
  const job = stage.app.get(ProfileService);
  check('it calls Feishu as Ann', (await job.nameOf(ANN.openId)) === ANN.name);
  await stage.app.get(TokenService).refresh({ kind: 'user', openId: ANN.openId });
  check(
    'her refresh token was good for one use: there is a new one',
    emulator.logins.at(-1)?.generation === 2,
  );
  check('the job goes on with the new tokens', (await job.nameOf(ANN.openId)) === ANN.name);

  console.log('\nAnn logs in again, and disconnects Feishu');
  const again = await ann.get(`${url}/auth/feishu`);
  await ann.get(emulator.users.approve(again.headers.get('location') ?? '', { openId: ANN.openId }).url);
  check('she has a session', (await sees(ann)).includes('Hello, Ann'));
  await ann.post(`${url}/disconnect`);
  check('the session is over', (await sees(ann)).includes('Log in with Feishu'));
  check('the login is over', (await status(ANN.openId)).reason === 'logged-out');
  check('her tokens are revoked at Feishu', emulator.requestsTo('/oauth/v1/revoke').length === 2);
  return isRight;
}
