import { type CanActivate, type Type } from '@nestjs/common';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * Where the status page is, and who may see it.
 *
 * @publicApi
 */
export interface StatusPageOptions {
  /** For example `feishu-auth/status`: below the global prefix and the version, as any controller. */
  path: string;
  /** Run in the order given. Required in production, unless the page is `public`. */
  guards?: readonly Type<CanActivate>[];
  /** Whether the page is open to all callers. @default false */
  public?: boolean;
}

/**
 * Refuses a page that would be open to all callers in production by accident.
 *
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID`
 */
export function assertStatusPageGuarded(page: StatusPageOptions, environment: string | undefined): void {
  const isGuarded = (page.guards?.length ?? 0) > 0 || page.public === true;
  if (isGuarded || environment !== 'production') return;
  throw new FeishuAuthError(
    'ERR_FEISHU_CONFIG_INVALID',
    "FeishuAuthModule: `statusPage` has no guards, and NODE_ENV is 'production'; pass `guards: [YourGuard]`, or `public: true` to open it to all callers",
  );
}
