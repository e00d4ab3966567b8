import { type BearerCheck, isRefusal } from './bearer-check.js';
import { type EmulatorClock } from './emulator-clock.js';
import { type EmulatorEndpoints, type PathParameters } from './emulator-endpoints.js';
import { EmulatorFiles } from './emulator-files.js';
import { type EmulatorReply, failure, json, success } from './emulator-reply.js';
import { type EmulatorRequest } from './emulator-request.js';
import { type EmulatedIdentity } from './emulator-tokens.js';
import { randomText } from './random-text.js';

type Handler = (
  request: EmulatorRequest,
  identity: EmulatedIdentity,
  parameters: PathParameters,
) => EmulatorReply | Promise<EmulatorReply>;

const OCTET_STREAM = 'application/octet-stream';

/**
 * APIs of Feishu that take a tenant token, and some a user's, as far as a token's user needs them.
 *
 * @internal
 */
export class BusinessEndpoints {
  private readonly files = new EmulatorFiles();

  constructor(
    private readonly bearer: BearerCheck,
    private readonly clock: EmulatorClock,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    /** @param userScopes what a user needs, one of them; none: the API takes no user access token */
    const add = (method: string, path: string, handle: Handler, userScopes?: readonly string[]): void =>
      endpoints.add(method, `/open-apis${path}`, (request, parameters) => {
        const accepts = userScopes ? (['tenant', 'user'] as const) : (['tenant'] as const);
        const identity = this.bearer.check(request.headers.authorization, accepts, userScopes);
        return isRefusal(identity) ? identity : handle(request, identity, parameters);
      });
    add('GET', '/bot/v3/info', (_request, { appId }) => botInfo(appId));
    add('POST', '/im/v1/messages', (request, identity) => this.sendMessage(request, identity), [
      'im:message.send_as_user',
      'im:message',
    ]);
    add('GET', '/contact/v3/users/:id', (_request, _identity, { id }) => contactUser(id), [
      'contact:contact.base:readonly',
      'contact:contact:readonly_as_app',
    ]);
    add('GET', '/im/v1/files/:key', (request, _identity, parameters) =>
      this.downloadFile(request, parameters['key']),
    );
    add('POST', '/im/v1/files', (request) => this.uploadFile(request));
  }

  private async sendMessage(request: EmulatorRequest, identity: EmulatedIdentity): Promise<EmulatorReply> {
    const fields = await request.fields();
    const { receive_id: receiver, msg_type: type, content } = fields ?? {};
    if (typeof receiver !== 'string' || typeof type !== 'string' || typeof content !== 'string') {
      return failure(9499, 'Bad Request', 400);
    }
    const time = String(this.clock.now());
    return success({
      message_id: `om_${randomText(32)}`,
      msg_type: type,
      chat_id: receiver.startsWith('oc_') ? receiver : `oc_${randomText(32)}`,
      create_time: time,
      update_time: time,
      deleted: false,
      updated: false,
      sender: {
        ...(identity.openId === undefined
          ? { id: identity.appId, id_type: 'app_id', sender_type: 'app' }
          : { id: identity.openId, id_type: 'open_id', sender_type: 'user' }),
        ...(identity.tenantKey !== undefined && { tenant_key: identity.tenantKey }),
      },
      body: { content },
    });
  }

  /** What was uploaded under this key; else `?size=` bytes of zeros, 1024 unless told, never in memory all at once. */
  private downloadFile(request: EmulatorRequest, key = 'file'): EmulatorReply {
    const file = this.files.find(key);
    const size = file?.content.length ?? request.count('size', 1_024);
    const headers = {
      'content-type': OCTET_STREAM,
      'content-length': String(size),
      'content-disposition': `attachment; filename="${encodeURIComponent(file?.name ?? key)}"`,
    };
    return { status: 200, code: 0, headers, body: file ? once(file.content) : zeros(size) };
  }

  /** Takes a file of any size in; a small one can be downloaded again. */
  private async uploadFile(request: EmulatorRequest): Promise<EmulatorReply> {
    const key = `file_v3_${randomText(32)}`;
    const received = await this.files.take(key, request.headers['content-type'], request.chunks());
    return received === 0 ? failure(9499, 'Bad Request', 400) : success({ file_key: key });
  }
}

/** The one answer of these that has no `data`: `bot` stands beside `code`. */
function botInfo(appId: string): EmulatorReply {
  return json({
    code: 0,
    msg: 'ok',
    bot: {
      activate_status: 2,
      app_name: `bot of ${appId}`,
      avatar_url: '',
      ip_white_list: [],
      open_id: 'ou_emulatedbot',
    },
  });
}

function contactUser(id = ''): EmulatorReply {
  return success({
    user: {
      open_id: id,
      union_id: `on_${id}`,
      user_id: id,
      name: `user ${id}`,
      status: { is_activated: true },
    },
  });
}

async function* zeros(size: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(64 * 1_024);
  for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
