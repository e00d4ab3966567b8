import { FeishuEmulator } from 'nestjs-feishu-auth/testing';

export const APP = { appId: 'cli_userlogin', appSecret: 'not-a-secret', name: 'Sample application' };
export const ANN = { openId: 'ou_ann', name: 'Ann' };
export const BOB = { openId: 'ou_bob', name: 'Bob' };

/** A Feishu on this machine, with two users and a consent page. */
export function startAccounts(): Promise<FeishuEmulator> {
  return FeishuEmulator.start({ apps: [APP], users: [ANN, BOB] });
}
