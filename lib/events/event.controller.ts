import { Controller, Inject, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { getFeishuServiceToken } from '../feishu-auth.injection.js';
import { FeishuEventService, type FeishuEventReply } from './feishu-event.service.js';

/** The part of a request that Express and Fastify have in common. */
interface HostRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly rawBody?: Uint8Array;
}

/** The part of a response: Fastify's has Node's own in `raw`, Express's is it. */
interface HostResponse extends NodeResponse {
  readonly raw?: NodeResponse;
}
interface NodeResponse {
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

const NO_RAW_BODY = {
  status: 500,
  body: { code: 'ERR_FEISHU_CONFIG_INVALID', msg: 'the application keeps no raw body: see its log' },
};

/** A controller class of its own for each instance: a route is metadata of its class. */
export function createEventController(path: string, name: string | undefined): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class FeishuEventController {
    constructor(
      @Inject(getFeishuServiceToken(FeishuEventService, name)) private readonly events: FeishuEventService,
      @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    ) {}

    // The response is ours: an interceptor of the host's that wraps every answer would spoil the challenge.
    @Post()
    async receive(@Req() request: HostRequest, @Res() response: HostResponse): Promise<void> {
      const { status, body, event } = await this.replyTo(request);
      if (event) onceAnswered(response, () => this.events.dispatch(event));
      const { httpAdapter } = this.host;
      // Kept alive, the connection would hold up the host's closing until the platform lets go of it.
      if (this.events.isClosing) httpAdapter.setHeader(response, 'connection', 'close');
      await httpAdapter.reply(response, body, status);
    }

    private async replyTo(
      request: HostRequest,
    ): Promise<Pick<FeishuEventReply, 'status' | 'body' | 'event'>> {
      const { headers, rawBody } = request;
      if (ArrayBuffer.isView(rawBody)) return this.events.take({ headers, rawBody });
      // Without a JSON body there would be none in any case, and no fault of the host's.
      if (!hasJsonBody(headers)) return this.events.take({ headers, rawBody: new Uint8Array() });
      this.events.reportNoRawBody();
      return NO_RAW_BODY;
    }
  }
  return FeishuEventController;
}

/** Also when the connection was cut before: the event is verified and claimed, nobody else will handle it. */
function onceAnswered(response: HostResponse, start: () => void): void {
  const { raw = response } = response;
  let isStarted = false;
  const startOnce = (): void => {
    if (isStarted) return;
    isStarted = true;
    start();
  };
  raw.once('finish', startOnce);
  raw.once('close', startOnce);
}

function hasJsonBody(headers: HostRequest['headers']): boolean {
  const isJson = /\bjson\b/i.test(String(headers['content-type'] ?? ''));
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return isJson && hasBody;
}
