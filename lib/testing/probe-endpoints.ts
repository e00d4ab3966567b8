import { type BearerCheck, isRefusal } from './bearer-check.js';
import { type EmulatorEndpoints } from './emulator-endpoints.js';
import { type EmulatorReply, json, success, text } from './emulator-reply.js';
import { type EmulatorRequest } from './emulator-request.js';
import { type EmulatedIdentity } from './emulator-tokens.js';

type Wait = (ms: number) => Promise<void>;

/**
 * What Feishu does not have and a test wants: `/open-apis/emulator/...`, to see what a client really sends and how it
 * behaves.
 *
 * @internal
 */
export class ProbeEndpoints {
  constructor(
    private readonly bearer: BearerCheck,
    private readonly wait: Wait,
  ) {}

  addTo(endpoints: EmulatorEndpoints): void {
    const add = (
      path: string,
      handle: (request: EmulatorRequest) => EmulatorReply | Promise<EmulatorReply>,
    ): void => endpoints.add('*', `/open-apis/emulator${path}`, handle);
    add('/echo', (request) => this.withBearer(request, ['tenant', 'app', 'user'], echo));
    add('/app-only', (request) => this.withBearer(request, ['app'], echo));
    add('/user-only', (request) => this.withBearer(request, ['user'], echo));
    add('/no-tenant-token', (request) => this.withBearer(request, [], echo));
    add('/slow', (request) => this.withBearer(request, ['tenant', 'app'], () => this.slow(request)));
    add('/redirect', redirect);
  }

  private withBearer(
    request: EmulatorRequest,
    accepts: readonly EmulatedIdentity['kind'][],
    handle: (request: EmulatorRequest, identity: EmulatedIdentity) => EmulatorReply | Promise<EmulatorReply>,
  ): EmulatorReply | Promise<EmulatorReply> {
    const identity = this.bearer.check(request.headers.authorization, accepts);
    return isRefusal(identity) ? identity : handle(request, identity);
  }

  /** `?chunks=` pieces of one JSON document, `?intervalMs=` apart. */
  private slow(request: EmulatorRequest): EmulatorReply {
    const chunks = request.count('chunks', 5);
    const intervalMs = request.count('intervalMs', 100);
    const { wait } = this;
    async function* pieces(): AsyncGenerator<string> {
      yield '{"code":0,"msg":"success","data":{"items":[';
      for (let index = 0; index < chunks; index += 1) {
        await wait(intervalMs);
        yield index === 0 ? '0' : `,${index}`;
      }
      yield ']}}';
    }
    return { ...json({ code: 0 }), body: pieces() };
  }
}

/** What was sent, but for the bearer, and whom the bearer stood for. */
async function echo(request: EmulatorRequest, identity: EmulatedIdentity): Promise<EmulatorReply> {
  const { authorization: _bearer, ...headers } = request.headers;
  return success({
    identity,
    method: request.method,
    path: request.path,
    query: Object.fromEntries(request.query),
    headers,
    body: (await request.fields()) ?? (await request.text()),
  });
}

/** To `?to=`, with `?status=` 302 unless told; looks at no bearer. */
function redirect(request: EmulatorRequest): EmulatorReply {
  const to = request.query.get('to');
  if (to === null) return text('redirect where? ?to=<url>', 400);
  return { status: request.count('status', 302), code: 0, headers: { location: to }, body: '' };
}
