import { Controller, Get, Header, Post, Redirect, Req, Res } from '@nestjs/common';
import { FeishuLoginService, isFeishuAuthError } from 'nestjs-feishu-auth';
import { userPage, welcomePage } from './page.js';
import { ProfileService } from './profile.service.js';
import { Sessions } from './sessions.js';

interface Request {
  readonly headers: { readonly cookie?: string };
}
interface Response {
  append(name: string, value: string): void;
}

@Controller()
export class HomeController {
  constructor(
    private readonly sessions: Sessions,
    private readonly logins: FeishuLoginService,
    private readonly profiles: ProfileService,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async home(@Req() request: Request): Promise<string> {
    const user = this.sessions.userOf(request);
    if (!user) return welcomePage();
    const { openId } = user;
    try {
      const name = await this.profiles.nameOf(openId);
      return userPage(user, await this.logins.status(openId), name);
    } catch (error) {
      // Disconnected in another browser, for example: the user has to log in again.
      if (isFeishuAuthError(error, 'ERR_FEISHU_REAUTHORIZATION_REQUIRED')) return welcomePage();
      throw error;
    }
  }

  /** Ends the session of this browser. The application keeps the Feishu login. */
  @Post('logout')
  @Redirect('/', 303)
  logOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): void {
    this.sessions.end(request, response);
  }

  /** Ends the Feishu login too, here and at Feishu. */
  @Post('disconnect')
  @Redirect('/', 303)
  async disconnect(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const user = this.sessions.userOf(request);
    this.sessions.end(request, response);
    if (user) await this.logins.logout(user.openId);
  }
}
