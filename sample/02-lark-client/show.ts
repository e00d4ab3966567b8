import { type INestApplicationContext } from '@nestjs/common';
import { Client, DefaultCache } from '@larksuiteoapi/node-sdk';
import { isFeishuAuthError, TokenService } from 'nestjs-feishu-auth';
import { count, heading, say } from '../00-quick-start/terminal.js';
import { BOT_WITH_WRONG_SECRET, WRONG_SECRET } from './app.module.js';
import { Bot } from './bot.service.js';
import { type LogBook } from './log-book.js';
import { APP, Platform, TOKEN_LATENCY_MS } from './platform.js';
import { comparison } from './terminal.js';

const USER = 'ou_somebody';
const COLD_CALLERS = 200;
const CALLS_AFTER_REVOCATION = 20;
const CALLS_WITH_WRONG_SECRET = 5;

/** The result of several calls. */
interface Outcome {
  succeeded: number;
  failed: number;
  tokenRequests: number;
  log: string[];
}

/** Compares the same bot on two clients. Every figure is measured during the run. */
export async function show(app: INestApplicationContext, log: LogBook): Promise<void> {
  const platform = app.get(Platform);
  const { emulator } = platform;
  const bot = app.get(Bot);
  const plainBot = new Bot(plainClient(APP.appSecret));

  console.log(
    'nestjs-feishu-auth/lark-sdk: the official client, with the tokens of the module.\n' +
      'The same bot runs on two clients. Feishu is an emulator in this process; a token request takes\n' +
      `${TOKEN_LATENCY_MS} ms.\n\n` +
      '   plain SDK    new Client({ appId, appSecret })\n' +
      '   our tokens   FeishuLarkModule.forFeature(), and Client is injected',
  );
  await coldCallers();
  await revokedToken();
  await wrongSecret();
  await failingCall();
  await atWork();

  async function coldCallers(): Promise<void> {
    heading(
      `1. ${count(COLD_CALLERS)} cold callers send a message at the same time, and no token is held yet`,
    );
    const [plain, ours] = await onBoth((it) => it.say(USER, 'Hello!'), COLD_CALLERS);
    comparison([
      ['messages sent', count(plain.succeeded), count(ours.succeeded)],
      ['failed calls', count(plain.failed), count(ours.failed)],
      ['token requests', count(plain.tokenRequests), count(ours.tokenRequests)],
    ]);
    say('With the module, all callers of the same token share one request.');
  }

  async function revokedToken(): Promise<void> {
    heading(
      `2. A revoked token: Feishu revokes the token of both clients, then ${count(CALLS_AFTER_REVOCATION)} messages`,
    );
    emulator.revoke(await app.get(TokenService).getTenantAccessToken());
    const [plain, ours] = await onBoth((it) => it.say(USER, 'Still there?'), CALLS_AFTER_REVOCATION);
    comparison([
      ['messages sent', count(plain.succeeded), count(ours.succeeded)],
      ['failed calls', count(plain.failed), count(ours.failed)],
      ['token requests', count(plain.tokenRequests), count(ours.tokenRequests)],
    ]);
    say(
      'The plain client keeps a revoked token until it expires or the process restarts.\n' +
        'The module replaces it once and sends each rejected call again.',
    );
  }

  async function wrongSecret(): Promise<void> {
    heading(`3. A wrong secret: ${count(CALLS_WITH_WRONG_SECRET)} messages, one after another`);
    const plain = await trying(new Bot(plainClient(WRONG_SECRET)));
    const ours = await trying(app.get<Bot>(BOT_WITH_WRONG_SECRET));
    comparison([
      ['token requests', count(plain.tokenRequests), count(ours.tokenRequests)],
      ['errors', count(plain.errors.length), count(ours.errors.length)],
      ['errors with a code to branch on', count(withCode(plain.errors)), count(withCode(ours.errors))],
      ['lines in the log', count(plain.log.length), count(ours.log.length)],
    ]);
    say(
      `An error of the plain SDK:\n   ${messageOf(plain.errors[0])}\n` +
        `An error of the module:\n   ${codeOf(ours.errors[0])}\n` +
        'The module asks Feishu again once a minute; until then calls fail immediately.',
    );

    async function trying(it: Bot): Promise<Outcome & { errors: unknown[] }> {
      const errors: unknown[] = [];
      const outcome = await measure(async () => {
        for (let call = 0; call < CALLS_WITH_WRONG_SECRET; call++) {
          await it.say(USER, 'Hello?').catch((error: unknown) => errors.push(error));
        }
      });
      return { ...outcome, errors };
    }
  }

  async function failingCall(): Promise<void> {
    heading('4. The log: a call by path fails for a reason other than the token');
    const fault = emulator.faults.add({ path: '/open-apis/im/v1/chats', code: 232011, status: 400 });
    const calling = (client: Client): Promise<Outcome> =>
      measure(() =>
        client.request({ method: 'GET', url: '/open-apis/im/v1/chats/oc_1' }).catch(() => undefined),
      );
    const plain = await calling(plainClient(APP.appSecret));
    const ours = await calling(app.get(Client));
    fault.remove();
    const token = await app.get(TokenService).getTenantAccessToken();
    const telling = ({ log: lines }: Outcome): number => lines.filter((line) => line.includes(token)).length;
    comparison([
      ['lines in the log', count(plain.log.length), count(ours.log.length)],
      ['lines with the token', count(telling(plain)), count(telling(ours))],
    ]);
    say('With the token from the first log, a reader could call Feishu as the app.');
  }

  async function atWork(): Promise<void> {
    heading('5. The bot with the tokens of the module');
    const { name, messageId } = await bot.greet(USER);
    const key = await bot.upload('notes.txt', Buffer.from('what was said'));
    const file = await bot.download(key);
    say(
      `looked up ${USER}: ${name}\nsent ${messageId}\nuploaded ${key}\ndownloaded it again: ${count(file.length)} bytes`,
    );
  }

  function plainClient(appSecret: string): Client {
    return new Client({
      appId: APP.appId,
      appSecret,
      domain: emulator.domain.open,
      logger: log.forSdk,
      // Without a separate cache, it would use the token that another client with this app ID has fetched.
      cache: new DefaultCache(),
    });
  }

  /** Runs `work` several times in parallel: first on the plain client, then on the module's client. */
  async function onBoth(work: (bot: Bot) => Promise<unknown>, times: number): Promise<[Outcome, Outcome]> {
    const run = async (it: Bot): Promise<Outcome> => {
      let failed = 0;
      const all = await measure(async () => {
        const results = await Promise.allSettled(Array.from({ length: times }, () => work(it)));
        failed = results.filter(({ status }) => status === 'rejected').length;
      });
      return { ...all, failed, succeeded: times - failed };
    };
    return [await run(plainBot), await run(bot)];
  }

  async function measure(work: () => Promise<unknown>): Promise<Outcome> {
    log.takeLines();
    const tokenRequests = await platform.tokenRequestsDuring(async () => void (await work()));
    return { succeeded: 0, failed: 0, tokenRequests, log: log.takeLines() };
  }
}

function withCode(errors: readonly unknown[]): number {
  return errors.filter((error) => error instanceof Error && 'code' in error).length;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string {
  return isFeishuAuthError(error) ? `${error.code}, Feishu's code ${error.feishuCode}` : messageOf(error);
}
