import { buffer } from 'node:stream/consumers';
import { Injectable } from '@nestjs/common';
import { Client } from '@larksuiteoapi/node-sdk';

/** A bot as one is written on the official client. Nothing in it knows of tokens. */
@Injectable()
export class Bot {
  constructor(private readonly lark: Client) {}

  /** Looks up who somebody is, and says hello to them. */
  async greet(userId: string): Promise<{ name: string; messageId: string }> {
    const user = await this.lark.contact.user.get({ path: { user_id: userId } });
    const name = user.data?.user?.name ?? userId;
    const messageId = await this.say(userId, `Hello, ${name}!`);
    return { name, messageId };
  }

  /** @returns the id of the message */
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
