import { type ModulesContainer } from '@nestjs/core';
import { FeishuAuthError } from './errors/feishu-auth.error.js';

/** Injection token of an instance's name, which is `default` for the unnamed instance. */
export const INSTANCE_NAME = 'FEISHU_AUTH_INSTANCE_NAME';

/** Refuses two instances with the same name: the order of imports would decide which one is injected. */
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
    const which =
      this.name === 'default' ? 'two instances have no name' : `two instances have the name '${this.name}'`;
    throw new FeishuAuthError(
      'ERR_FEISHU_CONFIG_INVALID',
      `FeishuAuthModule: ${which}; give one of them another name: FeishuAuthModule.forRoot({ ..., name: 'other' }), and inject its services with @InjectTokenService('other')`,
    );
  }
}
