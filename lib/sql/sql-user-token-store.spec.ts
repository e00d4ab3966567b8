import initSqlJs, { type Database } from 'sql.js';
import { inspect } from 'node:util';
import { userTokenStoreConformance } from '../testing/user-token-store-conformance.js';
import { type SqlQuery, SqlUserTokenStore } from './sql-user-token-store.js';
import { type SqlDialect } from './sql-dialect.js';
import { userTokenTable } from './user-token-table.js';

describe('SqlUserTokenStore on a real SQLite', () => {
  let database: Database;
  beforeAll(async () => {
    database = new (await initSqlJs()).Database();
    database.run(userTokenTable('sqlite'));
    database.run(userTokenTable('sqlite'));
  });
  afterAll(() => database.close());

  const query: SqlQuery = async (text, params) => {
    const statement = database.prepare(text);
    try {
      statement.bind(params as (string | number | null)[]);
      const rows: Record<string, unknown>[] = [];
      while (statement.step()) rows.push(statement.getAsObject());
      return { rows, rowCount: null };
    } finally {
      statement.free();
    }
  };
  const storeIn = (table?: string): SqlUserTokenStore =>
    new SqlUserTokenStore({ query, dialect: 'sqlite', ...(table !== undefined && { table }) });

  userTokenStoreConformance(() => storeIn(), { makeFailingStore: () => storeIn('nothing') });

  it('says which table is missing', async () => {
    await expect(storeIn('main.nothing').get('key')).rejects.toThrow(
      "the table main.nothing does not exist. Create it with the statement that userTokenTable('sqlite', 'main.nothing')",
    );
  });

  it('works in the table of an attached database', async () => {
    database.run(userTokenTable('sqlite', 'main.other'));
    const version = await storeIn('main.other').put('key', 'value', null);
    expect(await storeIn('main.other').get('key')).toEqual({ value: 'value', version });
  });
});

describe('SqlUserTokenStore', () => {
  it.each(['x; DROP TABLE users', 'x"', 'x`', 'a.b.c', '', '.x', '1x', 'x'.repeat(51), 'té'])(
    'refuses the table name %j',
    (table) => {
      const invalid = expect.objectContaining({ code: 'ERR_FEISHU_CONFIG_INVALID' });
      const query: SqlQuery = async () => ({ rows: [], rowCount: 0 });
      expect(() => new SqlUserTokenStore({ query, table })).toThrow(invalid);
      expect(() => userTokenTable('postgres', table)).toThrow(invalid);
    },
  );

  it('refuses an unknown dialect and a missing query', () => {
    const query: SqlQuery = async () => ({ rows: [], rowCount: 0 });
    const invalid = expect.objectContaining({ code: 'ERR_FEISHU_CONFIG_INVALID' });
    expect(() => new SqlUserTokenStore({ query, dialect: 'oracle' as SqlDialect })).toThrow(invalid);
    expect(() => new SqlUserTokenStore({} as { query: SqlQuery })).toThrow(invalid);
  });

  it('sends a table name only in quotes', () => {
    expect(userTokenTable('postgres', 'auth.order')).toContain('"auth"."order"');
    expect(userTokenTable('mysql', 'auth.order')).toContain('`auth`.`order`');
  });

  /** A row, and a query whose next write loses its answer after it was carried out, or before. */
  function losingAnswers(
    isCarriedOut: boolean,
    code?: string,
  ): { query: SqlQuery; rows: Map<string, string> } {
    const rows = new Map<string, string>();
    const query: SqlQuery = async (text, params) => {
      const [id, version] = text.startsWith('INSERT')
        ? [String(params[0]), String(params[3])]
        : [String(params[3] ?? params[0]), String(params[1])];
      if (text.startsWith('SELECT')) {
        const found = rows.get(String(params[0]));
        return { rows: found === undefined ? [] : [{ value: 'value', version: found }], rowCount: null };
      }
      if (isCarriedOut) rows.set(id, version);
      throw Object.assign(new Error('connection lost'), { code });
    };
    return { query, rows };
  }

  it('gives the version of a write that was carried out although its answer was lost', async () => {
    const { query, rows } = losingAnswers(true);
    const version = await new SqlUserTokenStore({ query }).put('key', 'value', null);
    expect([...rows.values()]).toEqual([version]);
  });

  it('fails for a write that was not carried out', async () => {
    const { query } = losingAnswers(false, 'ECONNRESET');
    await expect(new SqlUserTokenStore({ query }).put('key', 'value', null)).rejects.toMatchObject({
      message: 'SqlUserTokenStore could not write a login: connection lost',
      code: 'ECONNRESET',
    });
  });

  it('does not take a failure for a lost race when it cannot tell', async () => {
    const { query, rows } = losingAnswers(false, 'ECONNRESET');
    const store = new SqlUserTokenStore({ query });
    // Another writer was first, or has replaced ours since.
    const id = await idOfKey();
    rows.set(id, 'newer');
    await expect(store.put('key', 'value', 'older')).rejects.toThrow('connection lost');
    await expect(store.delete('key', 'older')).rejects.toThrow('connection lost');
  });

  it.each(['40001', '40P01', '23505'])(
    'loses the race when the database reports the conflict %s',
    async (code) => {
      const { query, rows } = losingAnswers(false, code);
      const store = new SqlUserTokenStore({ query });
      const id = await idOfKey();
      await expect(store.put('key', 'value', null)).rejects.toThrow('connection lost');
      rows.set(id, 'newer');
      expect(await store.put('key', 'value', 'older')).toBeUndefined();
      expect(await store.put('key', 'value', null)).toBeUndefined();
      expect(await store.delete('key', 'older')).toBe(false);
      rows.set(id, 'older');
      await expect(store.put('key', 'value', 'older')).rejects.toThrow('connection lost');
    },
  );

  /** The id under which a store keeps the key. */
  async function idOfKey(): Promise<string> {
    let id = '';
    await new SqlUserTokenStore({
      query: async (_text, params) => {
        id = String(params[0]);
        return { rows: [], rowCount: 0 };
      },
    }).get('key');
    return id;
  }

  it.each<[string, () => Promise<unknown>]>([
    ['that gives no rows', async () => undefined],
    ['that gives rows as arrays', async () => ({ rows: [['value', 'version']], rowCount: 1 })],
    ['that gives a Buffer', async () => ({ rows: [{ value: Buffer.from('x'), version: 'v' }], rowCount: 1 })],
  ])('fails with a query() %s', async (_, query) => {
    await expect(new SqlUserTokenStore({ query: query as SqlQuery }).get('key')).rejects.toThrow(/query\(\)/);
  });

  it('fails with a MySQL query() that does not count', async () => {
    const query: SqlQuery = async () => ({ rows: [], rowCount: null });
    const store = new SqlUserTokenStore({ query, dialect: 'mysql' });
    await expect(store.put('key', 'value', 'version')).rejects.toThrow('number of changed rows as rowCount');
  });

  it('shows neither statement nor parameters of a driver error, also not those in its message', async () => {
    const query: SqlQuery = async (sql, parameters) => {
      const driverError = Object.assign(new Error('value out of range: u-secret.value_1'), {
        code: '22003',
        sql,
        parameters,
      });
      throw Object.assign(new Error(`Failed query: ${sql} params: ${parameters.join()}`), {
        driverError,
        parameters,
      });
    };
    const error = await new SqlUserTokenStore({ query })
      .put('key', '{"token":"u-secret.value_1"}', null)
      .catch((found: unknown) => found);
    expect(error).toMatchObject({ code: '22003' });
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain('secret');
  });
});
