import { jest } from '@jest/globals';
import { inspect } from 'node:util';
import { Pool, type PoolConfig } from 'pg';
import { SqlUserTokenStore, userTokenTable } from '../../lib/sql/index.js';
import { userTokenStoreConformance } from '../../lib/testing/index.js';
import { describeWithPostgres, PostgresServer } from '../fixtures/postgres-server.js';

jest.setTimeout(60_000);

describeWithPostgres('SqlUserTokenStore on a real PostgreSQL', () => {
  let server: PostgresServer;
  let pool: Pool;

  beforeAll(async () => {
    server = await PostgresServer.start();
    pool = newPool();
    await pool.query(userTokenTable('postgres'));
  });
  afterAll(async () => {
    await pool.end();
    await server.end();
  });

  function newPool(options: PoolConfig = {}): Pool {
    return new Pool({ connectionString: server.url, max: 10, ...options });
  }

  const storeOn = (on: Pool, table?: string): SqlUserTokenStore =>
    new SqlUserTokenStore({
      query: (text, params) => on.query(text, [...params]),
      ...(table !== undefined && { table }),
    });

  userTokenStoreConformance(() => storeOn(pool), {
    makeFailingStore: () => storeOn(new Pool({ connectionString: 'postgres://127.0.0.1:1/postgres' })),
  });

  describe.each(['repeatable read', 'serializable'])('with transactions that are %s', (level) => {
    let strict: Pool;
    beforeAll(() => {
      strict = newPool({ options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}` });
    });
    afterAll(() => strict.end());

    userTokenStoreConformance(() => storeOn(strict));
  });

  it('keeps its records in the table of a schema', async () => {
    await pool.query('CREATE SCHEMA IF NOT EXISTS auth');
    await pool.query(userTokenTable('postgres', 'auth.Logins'));
    await pool.query(userTokenTable('postgres', 'auth.Logins'));
    const store = storeOn(pool, 'auth.Logins');
    await store.put('the key', 'the value', null, { dueAt: new Date(1_000) });
    const { rows } = await pool.query('SELECT * FROM auth."Logins"');
    expect(rows).toMatchObject([{ login_key: 'the key', value: 'the value', due_at: '1000' }]);
    expect(await storeOn(pool).get('the key')).toBeUndefined();
  });

  it('finds due logins by an index', async () => {
    const { rows } = await pool.query('EXPLAIN SELECT login_key FROM feishu_user_token WHERE due_at < 1');
    expect(rows.map((row: object) => Object.values(row)[0]).join('\n')).toContain('feishu_user_token_due_at');
  });

  it('says which table is missing, and how to create it', async () => {
    const store = storeOn(pool, 'auth.nothing');
    const message =
      "SqlUserTokenStore: the table auth.nothing does not exist. Create it with the statement that userTokenTable('postgres', 'auth.nothing') of nestjs-feishu-auth/sql gives.";
    for (const work of [
      () => store.get('key'),
      () => store.put('key', 'value', null),
      () => store.put('key', 'value', 'version'),
      () => store.delete('key', 'version'),
      () => store.dueBefore(new Date(), 1),
    ]) {
      await expect(work()).rejects.toMatchObject({ message, code: '42P01' });
    }
  });

  it('does not show the record when a write fails', async () => {
    await pool.query(
      'CREATE TABLE narrow (LIKE feishu_user_token INCLUDING ALL, CHECK (length(value) < 10))',
    );
    const error = await storeOn(pool, 'narrow')
      .put('key', '{"token":"u-secret.value_1"}', null)
      .catch((found: unknown) => found);
    expect(error).toMatchObject({ code: '23514' });
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain('secret');
  });
});
