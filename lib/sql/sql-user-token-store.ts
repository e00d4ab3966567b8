import { createHash, randomUUID } from 'node:crypto';
import { FeishuAuthError } from '../errors/feishu-auth.error.js';
import { checkedLimit, dueTimeOf } from '../users/store/due-time.js';
import { codesOf, storeFailure } from '../users/store/store-failure.js';
import { UserTokenStore } from '../users/store/user-token-store.js';
import { DEFAULT_TABLE, type SqlDialect } from './sql-dialect.js';
import { type UserTokenStatements, userTokenStatements } from './user-token-statements.js';

/** PostgreSQL, MySQL by number and by name; SQLite says it in words only. */
const NO_TABLE_CODES: readonly unknown[] = ['42P01', 1146, 'ER_NO_SUCH_TABLE'];
const NO_TABLE = /no such table/i;

/** The database gave up a statement because of another one: duplicate key, serialization failure, deadlock, changed row. */
const CONFLICT_CODES: readonly unknown[] = ['23505', '40001', '40P01', 1020, 1062, 1213];

/**
 * Runs one statement outside of any transaction, on the primary server.
 *
 * `rows` are those that a `SELECT` or a `RETURNING` gave. `rowCount` is the number of rows that a statement of MySQL inserted,
 * changed or deleted; the other databases do not need it. Rejects if the statement fails.
 *
 * @publicApi
 */
export type SqlQuery = (
  text: string,
  params: readonly unknown[],
) => Promise<{ rows: readonly Record<string, unknown>[]; rowCount: number | null }>;

/**
 * @publicApi
 */
export interface SqlUserTokenStoreOptions {
  /** Runs one statement; the `query` of a connection pool of your driver or ORM, adapted. */
  query: SqlQuery;
  /** The database behind `query`. @default 'postgres' */
  dialect?: SqlDialect;
  /** The table, as `'name'` or `'schema.name'`. {@link userTokenTable} gives the statement that creates it. @default 'feishu_user_token' */
  table?: string;
}

/**
 * Logins in a table of your PostgreSQL, MySQL, MariaDB or SQLite, through the driver or ORM that you have. The table must
 * exist: create it with {@link userTokenTable} in a migration. Nothing is created at run time.
 *
 * Errors carry the code of the driver's error, and neither a statement nor its parameters.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL });
 * const store = new SqlUserTokenStore({ query: (text, params) => pool.query(text, [...params]) });
 *
 * @publicApi
 */
export class SqlUserTokenStore extends UserTokenStore {
  readonly #query: SqlQuery;
  readonly #dialect: SqlDialect;
  readonly #table: string;
  readonly #statements: UserTokenStatements;

  /**
   * @throws FeishuAuthError `ERR_FEISHU_CONFIG_INVALID` for a missing `query`, an unknown `dialect`, and a `table` that is not
   * a plain name
   */
  constructor({ query, dialect = 'postgres', table = DEFAULT_TABLE }: SqlUserTokenStoreOptions) {
    super();
    if (typeof query !== 'function') {
      throw new FeishuAuthError(
        'ERR_FEISHU_CONFIG_INVALID',
        'SqlUserTokenStore: query must be a function that runs one statement: (text, params) => Promise<{ rows, rowCount }>',
      );
    }
    this.#query = query;
    this.#dialect = dialect;
    this.#table = table;
    this.#statements = userTokenStatements(dialect, table);
  }

  async get(key: string): Promise<{ value: string; version: string } | undefined> {
    const row = await this.rowOf(idOf(key));
    return row && { value: textIn(row, 'value'), version: textIn(row, 'version') };
  }

  async put(
    key: string,
    value: string,
    ifVersion: string | null,
    options?: { dueAt?: Date | undefined },
  ): Promise<string | undefined> {
    const [id, version, dueAt] = [idOf(key), randomUUID(), dueTimeOf(options) ?? null];
    try {
      const written =
        ifVersion === null
          ? await this.write(this.#statements.create, [id, key, value, version, dueAt])
          : await this.write(this.#statements.replace, [value, version, dueAt, id, ifVersion]);
      return written ? version : undefined;
    } catch (error) {
      const current = await this.versionAfter(error, id, value);
      // The statement was carried out, and its answer was lost.
      if (current === version) return version;
      // A duplicate key has another code in each driver; that there is a record says enough.
      if (current !== ifVersion && (ifVersion === null || isConflict(error))) return undefined;
      throw this.failure('write', error, value);
    }
  }

  async delete(key: string, ifVersion: string): Promise<boolean> {
    const id = idOf(key);
    try {
      return await this.write(this.#statements.remove, [id, ifVersion]);
    } catch (error) {
      if (isConflict(error) && (await this.versionAfter(error, id)) !== ifVersion) return false;
      throw this.failure('delete', error);
    }
  }

  override async dueBefore(time: Date, limit: number): Promise<string[]> {
    const text = this.#statements.due(checkedLimit(limit));
    const { rows } = await this.run(text, [time.getTime()]).catch((error: unknown) => {
      throw this.failure('read', error);
    });
    return rows.map((row) => textIn(row, 'login_key'));
  }

  private async rowOf(id: string): Promise<Record<string, unknown> | undefined> {
    try {
      return (await this.run(this.#statements.read, [id])).rows[0];
    } catch (error) {
      throw this.failure('read', error);
    }
  }

  /** The version that is stored after a write has failed with `error`; `null` if there is none. */
  private async versionAfter(error: unknown, id: string, value?: string): Promise<string | null> {
    let row: Record<string, unknown> | undefined;
    try {
      row = await this.rowOf(id);
    } catch {
      throw this.failure('write', error, value);
    }
    return row ? textIn(row, 'version') : null;
  }

  /** Whether the statement changed the one row that it is about. */
  private async write(text: string, params: readonly unknown[]): Promise<boolean> {
    const { rows, rowCount } = await this.run(text, params);
    if (this.#dialect !== 'mysql') return rows.length > 0;
    if (typeof rowCount === 'number') return rowCount > 0;
    throw new TypeError('query() must resolve with the number of changed rows as rowCount');
  }

  private async run(text: string, params: readonly unknown[]): ReturnType<SqlQuery> {
    const result = await this.#query(text, params);
    if (Array.isArray(result?.rows)) return result;
    throw new TypeError('query() must resolve with { rows, rowCount }, where rows is an array of objects');
  }

  private failure(what: 'read' | 'write' | 'delete', error: unknown, value?: string): Error {
    const failure = storeFailure(`SqlUserTokenStore could not ${what} a login`, error, value);
    if (!isTableMissing(error)) return failure;
    failure.message = `SqlUserTokenStore: the table ${this.#table} does not exist. Create it with the statement that userTokenTable('${this.#dialect}', '${this.#table}') of nestjs-feishu-auth/sql gives.`;
    return failure;
  }
}

/** See {@link userTokenTable}. */
const idOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function textIn(row: Record<string, unknown>, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new TypeError(
    `SqlUserTokenStore: the column ${column} came back as ${value === null ? 'null' : typeof value}, not as a text. Does query() give rows as objects by column name, and was the table made by userTokenTable()?`,
  );
}

const isConflict = (error: unknown): boolean => codesOf(error).some((code) => CONFLICT_CODES.includes(code));

const isTableMissing = (error: unknown): boolean =>
  codesOf(error).some((code) => NO_TABLE_CODES.includes(code)) ||
  NO_TABLE.test(storeFailure('', error).message);
