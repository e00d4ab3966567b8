import { quotedTable, type SqlDialect } from './sql-dialect.js';

/**
 * The statements of the store, with their parameters in the order in which a caller passes them. Each write is one
 * statement, so that the database makes it atomic at every isolation level and without a transaction of ours.
 *
 * @internal
 */
export interface UserTokenStatements {
  /** id */
  readonly read: string;
  /** id, login_key, value, version, due_at */
  readonly create: string;
  /** value, version, due_at, id, version before */
  readonly replace: string;
  /** id, version */
  readonly remove: string;
  /** time */
  readonly due: (limit: number) => string;
}

/**
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` for an unknown dialect, and for a table name that is not plain
 * @internal
 */
export function userTokenStatements(dialect: SqlDialect, tableName: string): UserTokenStatements {
  const { schema, table: quoted } = quotedTable(dialect, tableName);
  const table = schema + quoted;
  const p = (number: number): string => (dialect === 'postgres' ? `$${number}` : '?');
  // Rows that come back are the same in every driver. MySQL returns none, so there the driver has to count.
  const [ifAbsent, returning] =
    dialect === 'mysql' ? ['', ''] : [' ON CONFLICT (id) DO NOTHING', ' RETURNING version'];
  return {
    read: `SELECT value, version FROM ${table} WHERE id = ${p(1)}`,
    create: `INSERT INTO ${table} (id, login_key, value, version, due_at) VALUES (${p(1)}, ${p(2)}, ${p(3)}, ${p(4)}, ${p(5)})${ifAbsent}${returning}`,
    replace: `UPDATE ${table} SET value = ${p(1)}, version = ${p(2)}, due_at = ${p(3)} WHERE id = ${p(4)} AND version = ${p(5)}${returning}`,
    remove: `DELETE FROM ${table} WHERE id = ${p(1)} AND version = ${p(2)}${returning}`,
    // The limit is a checked integer. MySQL takes it as a parameter only from some drivers.
    due: (limit) => `SELECT login_key FROM ${table} WHERE due_at < ${p(1)} ORDER BY due_at LIMIT ${limit}`,
  };
}
