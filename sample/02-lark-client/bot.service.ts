import { buffer } from 'node:stream/consumers';
import { Injectable } from '@nestjs/common';
import { Client } from '@larksuiteoapi/node-sdk';

/** A bot on the official client. Its code does not handle tokens. */
@Injectable()
export class Bot {
  constructor(private readonly lark: Client) {}

  /** Looks up a user and sends a greeting. */
  async greet(userId: string): Promise<{ name: string; messageId: string }> {
    const user = await this.lark.contact.user.get({ path: { user_id: userId } });
    const name = user.data?.user?.name ?? userId;
    const messageId = await this.say(userId, `Hello, ${name}!`);
    return { name, messageId };
  }

  /** @returns the ID of the message */
  async say(userId: string, text: string): Promise<string> {
    const sent = await this.lark.im.message.create({
      params: { receive_id_type: 'open_id' },
      data: { receive_id: userId, msg_type: 'text', content: JSON.stringify({ text }) },
    });
    if (sent.code !== 0) throw new Error(`Feishu answered ${sent.code}: ${sent.msg}`);
    return sent.data?.message_id ?? '';
  }

  /** @returns the key of the file */
  async upload(name: string, content: Buffer): Promise<string> {
    const uploaded = await this.lark.im.file.create({
      data: { file_type: 'stream', file_name: name, file: content },
    });
    return uploaded?.file_key ?? '';
  }

  async download(key: string): Promise<Buffer> {
    const file = await this.lark.im.file.get({ path: { file_key: key } });
    return buffer(file.getReadableStream());
  }
}
