import { BadGatewayException, Controller, Get } from '@nestjs/common';
import { FeishuAuth, FeishuHttpService, FeishuToken } from 'nestjs-feishu-auth';

/** Feishu's answer: https://open.feishu.cn/document/client-docs/bot-v3/obtain-bot-info */
interface BotInfo {
  code: number;
  msg: string;
  bot?: { app_name: string; open_id: string };
}

@Controller('bot')
export class BotController {
  constructor(private readonly feishu: FeishuHttpService) {}

  /**
   * `@FeishuAuth()` resolves the token before the handler runs, for any HTTP client. If Feishu rejects the token, the
   * handler runs once more with a new one. (FeishuHttpService does the same without the decorator and without the
   * `authorization` header.)
   */
  @Get()
  @FeishuAuth({ replay: true })
  async bot(@FeishuToken() token: string): Promise<BotInfo['bot']> {
    const response = await this.feishu.fetch('/open-apis/bot/v3/info', {
      headers: { authorization: `Bearer ${token}` },
    });
    const { code, msg, bot } = (await response.json()) as BotInfo;
    // The `code` of the cause tells the interceptor whether Feishu rejected the token.
    if (code !== 0) throw new BadGatewayException(`Feishu answered ${code}: ${msg}`, { cause: { code } });
    return bot;
  }
}
