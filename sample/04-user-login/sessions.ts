import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { parseCookie, stringifySetCookie } from 'cookie';
import { type FeishuLogin, type FeishuUser, OnFeishuLogin } from 'nestjs-feishu-auth';

const COOKIE = 'session';

interface WithCookies {
  readonly headers: { readonly cookie?: string };
}
interface WithHeaders {
  append(name: string, value: string): void;
}

/** The application's own sessions. They live in memory here: a restart ends them, and no Feishu login. */
@Injectable()
export class Sessions {
  private readonly users = new Map<string, FeishuUser>();

  @OnFeishuLogin()
  begin({ user, response }: FeishuLogin): void {
    const id = randomUUID();
    this.users.set(id, user);
    this.setCookie(response as WithHeaders, id);
  }

  userOf({ headers }: WithCookies): FeishuUser | undefined {
    return this.users.get(parseCookie(headers.cookie ?? '')[COOKIE] ?? '');
  }

  end({ headers }: WithCookies, response: WithHeaders): void {
    this.users.delete(parseCookie(headers.cookie ?? '')[COOKIE] ?? '');
    this.setCookie(response, '', 0);
  }

  private setCookie(response: WithHeaders, value: string, maxAge?: number): void {
    const line = stringifySetCookie({
      name: COOKIE,
      value,
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      ...(maxAge !== undefined && { maxAge }),
    });
    response.append('set-cookie', line);
  }
}
