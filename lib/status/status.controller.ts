import {
  Controller,
  Get,
  Header,
  Inject,
  type MessageEvent,
  Res,
  ServiceUnavailableException,
  Sse,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { type Observable } from 'rxjs';
import { assertStatusPageGuarded, type StatusPageOptions } from './status-page.options.js';
import { StatusBoard } from './status-board.js';
import { type StatusSnapshot } from './status-snapshot.js';

/** Express and Fastify both have it. */
interface HostResponse {
  header(name: string, value: string): unknown;
}

/** One controller class for each page: a route is metadata of its class. */
export function createStatusController(options: StatusPageOptions): Type {
  assertStatusPageGuarded(options, process.env['NODE_ENV']);
  const { path, guards = [] } = options;

  @Controller(path)
  @UseGuards(...guards)
  class FeishuStatusController {
    constructor(@Inject(StatusBoard) private readonly board: StatusBoard) {}

    @Get()
    page(@Res({ passthrough: true }) response: HostResponse): string {
      const { body, headers } = this.board.page();
      for (const [name, value] of Object.entries(headers)) response.header(name, value);
      return body;
    }

    @Get('snapshot')
    @Header('cache-control', 'no-store')
    snapshot(): StatusSnapshot {
      return this.board.snapshot();
    }

    @Sse('events')
    events(): Observable<MessageEvent> {
      if (this.board.streams.isFull) throw new ServiceUnavailableException('Too many status pages are open.');
      return this.board.streams.open();
    }
  }
  return FeishuStatusController;
}
