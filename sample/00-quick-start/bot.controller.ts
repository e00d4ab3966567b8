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
   * The token is there before the handler runs, for whatever client you call Feishu with; if Feishu rejects it, the
   * handler runs once more with a new one. (Without an `authorization` header of yours, FeishuHttpService would do all
   * of that by itself, with no decorator.)
   */
  @Get()
  @FeishuAuth({ replay: true })
  async bot(@FeishuToken() token: string): Promise<BotInfo['bot']> {
    const response = await this.feishu.fetch('/open-apis/bot/v3/info', {
      headers: { authorization: `Bearer ${token}` },
    });
    const { code, msg, bot } = (await response.json()) as BotInfo;
    // By the `code` of its cause it is known whether it was the token that Feishu did not like.
    if (code !== 0) throw new BadGatewayException(`Feishu answered ${code}: ${msg}`, { cause: { code } });
    return bot;
  }
}
