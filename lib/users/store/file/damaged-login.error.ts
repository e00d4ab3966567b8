/**
 * The files of one login are not what this store wrote.
 *
 * @internal
 */
export class DamagedLoginError extends Error {
  override readonly name = 'DamagedLoginError';

  /** @param login the path or the name of its folder */
  constructor(login: string, why: string) {
    super(
      `The stored login ${login} is damaged: ${why}. Restore its folder from a backup, or delete it; the user then has to log in again.`,
    );
  }
}
