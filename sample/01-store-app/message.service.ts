import { Injectable } from '@nestjs/common';
import { type FeishuEvent, FeishuHttpService, OnFeishuEvent } from 'nestjs-feishu-auth';

/** https://open.feishu.cn/document/server-docs/im-v1/message/events/receive */
interface MessageReceived {
  message: { chat_id: string; content: string };
}

export interface Answered {
  readonly tenantKey: string;
  readonly text: string;
  readonly code: number;
}

/** Answers every message, in the name of the tenant it came from. */
@Injectable()
export class MessageService {
  readonly answered: Answered[] = [];
  private readonly listeners: ((answered: Answered) => void)[] = [];

  constructor(private readonly feishu: FeishuHttpService) {}

  @OnFeishuEvent('im.message.receive_v1')
  async onMessage({ tenantKey = '', event }: FeishuEvent<MessageReceived>): Promise<void> {
    const { text } = JSON.parse(event.message.content) as { text: string };
    const response = await this.feishu.fetch('/open-apis/im/v1/messages?receive_id_type=chat_id', {
      as: { kind: 'tenant', tenantKey },
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        receive_id: event.message.chat_id,
        msg_type: 'text',
        content: JSON.stringify({ text: `You said: ${text}` }),
      }),
    });
    const { code } = (await response.json()) as { code: number };
    const answered = { tenantKey, text, code };
    this.answered.push(answered);
    for (const listener of this.listeners.splice(0)) listener(answered);
  }

  /** The next message that is answered. */
  next(): Promise<Answered> {
    return new Promise((resolve) => this.listeners.push(resolve));
  }
}
