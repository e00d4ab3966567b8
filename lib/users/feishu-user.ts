/**
 * A user who logged in, as Feishu's `user_info` tells it. Names and pictures are for display: use `openId`, which is the
 * same for one user of one app as long as the app exists.
 *
 * @publicApi
 */
export interface FeishuUser {
  /** The user's id within this app (`ou_...`). */
  openId: string;
  /** The user's id within all apps of one developer (`on_...`). */
  unionId?: string;
  /** The user's id within the tenant; only with the permission to see it. */
  userId?: string;
  /** The user's tenant. */
  tenantKey?: string;
  name?: string;
  avatarUrl?: string;
  /** The scopes that the user has granted to the app. */
  scopes: readonly string[];
}
