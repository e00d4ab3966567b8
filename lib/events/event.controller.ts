import { Controller, Inject, Post, Req, Res, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { EventIntake, type Intake } from './event-intake.js';
import { replySent, type SendableResponse } from './reply-sent.js';

/** What requests of Express and Fastify have in common. */
interface HostRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A parser of the application's own may keep it as text. */
  readonly rawBody?: Uint8Array | string;
  readonly body?: unknown;
}

/** Node's response: `raw` of Fastify's, Express's itself. */
interface HostResponse extends SendableResponse {
  readonly raw?: SendableResponse;
}

const NO_RAW_BODY: Intake = {
  reply: {
    status: 500,
    body: {
      code: 'ERR_FEISHU_CONFIG_INVALID',
      msg: 'the raw body was not kept; see the log of the application',
    },
    outcome: 'refused',
  },
};

/** Makes one controller class for each instance, because a route is metadata of its class. */
export function createEventController(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class FeishuEventController {
    readonly #intake: EventIntake;
    readonly #host: HttpAdapterHost;

    constructor(@Inject(EventIntake) intake: EventIntake, @Inject(HttpAdapterHost) host: HttpAdapterHost) {
      this.#intake = intake;
      this.#host = host;
    }

    // Writes the response itself: an interceptor of the host that wraps every result would break the challenge.
    @Post()
    async receive(@Req() request: HostRequest, @Res() response: HostResponse): Promise<void> {
      const sent = replySent(response.raw ?? response);
      const { reply, start } = await this.#take(request);
      // Also when the connection was cut: the event is claimed, so no other process will handle it.
      if (start) void sent.then(start);
      const { httpAdapter } = this.#host;
      // A connection that is kept alive would delay the host's closing.
      if (this.#intake.isClosing) httpAdapter.setHeader(response, 'connection', 'close');
      await httpAdapter.reply(response, reply.body, reply.status);
    }

    async #take({ headers, rawBody, body }: HostRequest): Promise<Intake> {
      if (rawBody !== undefined) return this.#intake.take({ headers, rawBody: bytesOf(rawBody) });
      if (isParsedJson(headers, body)) {
        this.#intake.reportNoRawBody();
        return NO_RAW_BODY;
      }
      // The host has no parser for this content type, so it cannot be an event.
      return this.#intake.take({ headers, rawBody: new Uint8Array() });
    }
  }
  return FeishuEventController;
}

function bytesOf(rawBody: Uint8Array | string): Uint8Array {
  return typeof rawBody === 'string' ? Buffer.from(rawBody, 'utf8') : rawBody;
}

function isParsedJson(headers: HostRequest['headers'], body: unknown): boolean {
  const isJson = /\bjson\b/i.test(String(headers['content-type'] ?? ''));
  return isJson && typeof body === 'object' && body !== null && Object.keys(body).length > 0;
}
