import { once, setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmulatorReply } from './emulator-reply.js';

/** Decides about one request: an answer, or what becomes of its connection. @internal */
export type Answer = (message: IncomingMessage) => Promise<EmulatorReply | 'reset' | 'hang'>;

/**
 * HTTP on a loopback port, and every socket of it, so that stopping waits for no client.
 *
 * @internal
 */
export class EmulatorServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly stopping = new AbortController();
  private closed: Promise<void> | undefined;

  constructor(private readonly answer: Answer) {
    // Every request that waits listens. Many listeners at once are not a leak.
    setMaxListeners(0, this.stopping.signal);
    this.server = createServer((message, response) => void this.serve(message, response));
    // Longer than any client keeps an idle connection: if the server closed first, a request could be lost.
    this.server.keepAliveTimeout = 65_000;
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  async listen(port: number, host: string): Promise<void> {
    this.server.listen(port, host);
    await once(this.server, 'listening');
  }

  /** `http://127.0.0.1:PORT`, also when it listens on every interface. */
  get origin(): string {
    const { address, port, family } = this.address;
    if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Resolves after `ms` of real time; rejects when the server stops. */
  async wait(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.stopping.signal });
  }

  stop(): Promise<void> {
    this.closed ??= new Promise((resolve) => {
      this.stopping.abort();
      this.server.close(() => resolve());
      for (const socket of this.sockets) socket.destroy();
    });
    return this.closed;
  }

  private get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await this.answer(message);
      if (reply === 'hang') return;
      if (reply === 'reset') message.socket.resetAndDestroy();
      else await send(response, reply);
    } catch {
      // The client has gone, or the emulator is stopping: there is no one to tell.
      message.socket.destroy();
    }
  }
}

async function send(response: ServerResponse, reply: EmulatorReply): Promise<void> {
  const { status, headers, body, afterwards } = reply;
  if (afterwards) response.once('finish', afterwards);
  if (typeof body === 'string') {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    response.writeHead(status, { ...length, ...headers }).end(body);
  } else {
    response.writeHead(status, headers);
    await pipeline(Readable.from(body), response);
  }
}
