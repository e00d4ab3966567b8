import { type ModulesContainer } from '@nestjs/core';
import { FeishuAuthError } from './errors/feishu-auth.error.js';

/** What an instance is called, `default` without a name: one provider in each instance's module. */
export const INSTANCE_NAME = 'FEISHU_AUTH_INSTANCE_NAME';

/** Refuses two instances of one name: their services would be told apart by nothing but import order. */
export class UniqueInstanceName {
  constructor(
    private readonly name: string,
    private readonly modules: ModulesContainer,
  ) {}

  /** @internal */
  onModuleInit(): void {
    const namesakes = [...this.modules.values()].filter(
      (module) => module.providers.get(INSTANCE_NAME)?.instance === this.name,
    );
    if (namesakes.length < 2) return;
    const who = this.name === 'default' ? 'two unnamed instances' : `two instances named '${this.name}'`;
    throw new FeishuAuthError(
      'ERR_FEISHU_CONFIG_INVALID',
      `FeishuAuthModule: there are ${who}; give each another one: FeishuAuthModule.forRoot({ ..., name: 'other' }), injected by @InjectTokenService('other')`,
    );
  }
}
