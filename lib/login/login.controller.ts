import {
  applyDecorators,
  Controller,
  Get,
  Inject,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { LoginFlow } from './login-flow.js';
import { LoginHandler } from './login-handler.js';
import { LoginRedirect } from './login-redirect.js';

/** The part of a request that Express and Fastify have in common. */
interface HostRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly protocol: string;
  readonly url: string;
  /** The URL before a router took its prefix away. */
  readonly originalUrl?: string;
}

/** One controller class for each instance: a route is metadata of its class. */
export function createLoginController(path: string, decorators: readonly ClassDecorator[]): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class FeishuLoginController {
    constructor(
      @Inject(LoginFlow) private readonly flow: LoginFlow,
      @Inject(LoginHandler) private readonly handler: LoginHandler,
      @Inject(LoginRedirect) private readonly redirect: LoginRedirect,
      @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    ) {}

    // The response is ours: an interceptor of the host's that wraps every answer would spoil the redirect.
    @Get()
    begin(@Req() request: HostRequest, @Res() response: unknown): void {
      this.keepPrivate(response);
      const { path: ownPath, query } = addressOf(request);
      const redirectUri = this.redirect.uriFor({
        host: headerOf(request, 'host'),
        protocol: request.protocol,
        path: ownPath,
      });
      const { location, setCookies } = this.flow.begin({
        query,
        cookieHeader: headerOf(request, 'cookie'),
        redirectUri,
      });
      for (const cookie of setCookies) this.host.httpAdapter.appendHeader(response, 'set-cookie', cookie);
      this.go(response, location);
    }

    @Get('callback')
    async end(@Req() request: HostRequest, @Res() response: unknown): Promise<void> {
      const { httpAdapter } = this.host;
      this.keepPrivate(response);
      const { query } = addressOf(request);
      const found = this.flow.find({ query, cookieHeader: headerOf(request, 'cookie') });
      if (found) httpAdapter.appendHeader(response, 'set-cookie', found.clearCookie);
      const { user, returnTo } = await this.flow.finish(query, found?.pending);
      const next = await this.handler.handle({ user, returnTo, request, response });
      if (!httpAdapter.isHeadersSent(response)) this.go(response, next ?? returnTo);
    }

    /** The callback's URL holds the code and the state, and the answers hold cookies. */
    private keepPrivate(response: unknown): void {
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'referrer-policy', 'no-referrer');
      httpAdapter.setHeader(response, 'cache-control', 'no-store');
    }

    private go(response: unknown, location: string): void {
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'location', location);
      httpAdapter.reply(response, '', 302);
    }
  }
  applyDecorators(...decorators)(FeishuLoginController);
  return FeishuLoginController;
}

/** Read from the URL itself: the hosts' own query parsers differ. */
function addressOf({ originalUrl, url }: HostRequest): { path: string; query: URLSearchParams } {
  const address = originalUrl ?? url;
  const queryAt = address.indexOf('?');
  if (queryAt === -1) return { path: address, query: new URLSearchParams() };
  return { path: address.slice(0, queryAt), query: new URLSearchParams(address.slice(queryAt)) };
}

function headerOf({ headers }: HostRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
