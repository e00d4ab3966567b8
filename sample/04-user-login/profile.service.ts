import { Injectable } from '@nestjs/common';
import { FeishuHttpService } from 'nestjs-feishu-auth';

/** Calls Feishu as a user. It needs the `openId` and no session, so a background job can use it, too. */
@Injectable()
export class ProfileService {
  constructor(private readonly feishu: FeishuHttpService) {}

  /** @returns the name under which Feishu knows the user */
  async nameOf(openId: string): Promise<string> {
    const response = await this.feishu.fetch('/open-apis/authen/v1/user_info', {
      as: { kind: 'user', openId },
    });
    const { code, data } = (await response.json()) as { code: number; data?: { name: string } };
    if (code !== 0 || !data) throw new Error(`Feishu answered code ${code}`);
    return data.name;
  }
}
