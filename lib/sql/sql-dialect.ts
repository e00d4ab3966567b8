import { FeishuAuthError } from '../errors/feishu-auth.error.js';

/**
 * - `'postgres'`: PostgreSQL 9.5 or later, and databases that speak its SQL. Parameters are `$1`, `$2`.
 * - `'mysql'`: MySQL 5.7 or later, MariaDB 10.2 or later. Parameters are `?`.
 * - `'sqlite'`: SQLite 3.35 or later. Parameters are `?`.
 *
 * @publicApi
 */
export type SqlDialect = 'postgres' | 'mysql' | 'sqlite';

export const DEFAULT_TABLE = 'feishu_user_token';

/** The shortest of the limits that the databases have for names; the index has a longer one. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,49}$/;

/**
 * The quoted name of a table and, if it has one, of its schema: names cannot be parameters of a statement.
 *
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` for an unknown dialect, and for a name that is not plain
 * @internal
 */
export function quotedTable(
  dialect: SqlDialect,
  table: string,
): { schema: string; table: string; index: string } {
  if (!['postgres', 'mysql', 'sqlite'].includes(dialect)) {
    throw invalid(`dialect must be 'postgres', 'mysql' or 'sqlite', not ${JSON.stringify(dialect)}`);
  }
  const parts = typeof table === 'string' ? table.split('.') : [];
  if (parts.length < 1 || parts.length > 2 || !parts.every((part) => NAME.test(part))) {
    throw invalid(
      `table must be a name such as 'feishu_user_token' or 'auth.feishu_user_token' of letters, digits and '_', not ${JSON.stringify(table)}`,
    );
  }
  const quote = (name: string): string => (dialect === 'mysql' ? `\`${name}\`` : `"${name}"`);
  const name = parts.at(-1) ?? '';
  const schema = parts.length === 2 ? `${quote(parts[0] ?? '')}.` : '';
  return { schema, table: quote(name), index: quote(`${name}_due_at`) };
}

const invalid = (message: string): FeishuAuthError =>
  new FeishuAuthError('ERR_FEISHU_CONFIG_INVALID', `SqlUserTokenStore: ${message}`);
