import { DEFAULT_TABLE, quotedTable, type SqlDialect } from './sql-dialect.js';

/**
 * The statements that create the table of {@link SqlUserTokenStore}, for a migration. They do nothing if the table exists.
 *
 * `id` is a hash of `login_key`: databases compare texts by language, limit the length of keys, and ignore spaces at the
 * end. `due_at` is in epoch milliseconds.
 *
 * @param dialect the database; MySQL and MariaDB get one statement, the others two, separated by a semicolon
 * @param table `'name'` or `'schema.name'`
 * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` for an unknown dialect, and for a name that is not plain
 *
 * @example
 * await pool.query(userTokenTable('postgres'));
 *
 * @publicApi
 */
export function userTokenTable(dialect: SqlDialect, table: string = DEFAULT_TABLE): string {
  const name = quotedTable(dialect, table);
  switch (dialect) {
    case 'postgres':
      return `CREATE TABLE IF NOT EXISTS ${name.schema}${name.table} (
  id text PRIMARY KEY,
  login_key text NOT NULL,
  value text NOT NULL,
  version text NOT NULL,
  due_at bigint
);
CREATE INDEX IF NOT EXISTS ${name.index} ON ${name.schema}${name.table} (due_at);
`;
    case 'sqlite':
      return `CREATE TABLE IF NOT EXISTS ${name.schema}${name.table} (
  id TEXT NOT NULL PRIMARY KEY,
  login_key TEXT NOT NULL,
  value TEXT NOT NULL,
  version TEXT NOT NULL,
  due_at INTEGER
);
CREATE INDEX IF NOT EXISTS ${name.schema}${name.index} ON ${name.table} (due_at);
`;
    case 'mysql':
      return `CREATE TABLE IF NOT EXISTS ${name.schema}${name.table} (
  id CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  login_key MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  value MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  version CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  due_at BIGINT,
  KEY ${name.index} (due_at)
) ENGINE = InnoDB;
`;
  }
}
