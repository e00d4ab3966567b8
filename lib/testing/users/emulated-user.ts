/**
 * A person who can log in at the emulated Feishu.
 *
 * @publicApi
 */
export interface EmulatedUser {
  /** Feishu's look like `ou_84aad35d084aa403a838cf73ee18467`. */
  openId: string;
  /** @default `on_` and the rest of `openId` */
  unionId?: string;
  /** `user_info` shows it only to a token with the scope `contact:user.employee_id:readonly`. */
  userId?: string;
  /** The user's tenant. @default the own tenant of a self-built app, else `tenant_emulator` */
  tenantKey?: string;
  /** @default `User` and `openId` */
  name?: string;
  avatarUrl?: string;
  /** `user_info` shows it only to a token with the scope `contact:user.email:readonly`. */
  email?: string;
}

/**
 * What an administrator has made of a user: only `active` ones log in, and only their tokens work. `no-permission`: the
 * app is not available to the user.
 *
 * @publicApi
 */
export type EmulatedUserStatus = 'active' | 'frozen' | 'resigned' | 'deleted' | 'no-permission';

/** @internal */
export interface RegisteredUser extends Omit<Required<EmulatedUser>, 'tenantKey' | 'userId' | 'email'> {
  readonly tenantKey: string | undefined;
  readonly userId: string | undefined;
  readonly email: string | undefined;
  status: EmulatedUserStatus;
}

/**
 * The users that the emulator knows, and which of them sits at the browser.
 *
 * @internal
 */
export class UserDirectory {
  private readonly users = new Map<string, RegisteredUser>();
  private signedIn: string | undefined;

  add(user: EmulatedUser): void {
    const { openId } = user;
    if (!openId) throw new TypeError('a user needs an openId');
    this.users.set(openId, {
      openId,
      unionId: user.unionId ?? `on_${openId.replace(/^ou_/, '')}`,
      userId: user.userId,
      tenantKey: user.tenantKey,
      name: user.name ?? `User ${openId}`,
      avatarUrl: user.avatarUrl ?? '',
      email: user.email,
      status: 'active',
    });
  }

  find(openId: string): RegisteredUser | undefined {
    return this.users.get(openId);
  }

  get(openId: string): RegisteredUser {
    const user = this.users.get(openId);
    if (!user) throw new Error(`there is no user ${openId}: add it with emulator.users.add()`);
    return user;
  }

  all(): readonly RegisteredUser[] {
    return [...this.users.values()];
  }

  signIn(openId: string): void {
    this.signedIn = this.get(openId).openId;
  }

  /** Who sits at the browser: the one that signed in last, else the first that was added. */
  current(): RegisteredUser | undefined {
    return this.signedIn === undefined ? this.all()[0] : this.find(this.signedIn);
  }
}
