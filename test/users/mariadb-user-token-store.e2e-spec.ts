import { jest } from '@jest/globals';
import {
  createPool,
  type Pool,
  type PoolOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2/promise';
import { type SqlQuery, SqlUserTokenStore, userTokenTable } from '../../lib/sql/index.js';
import { userTokenStoreConformance } from '../../lib/testing/index.js';
import { describeWithMariadb, MariadbServer } from '../fixtures/mariadb-server.js';

jest.setTimeout(90_000);

const queryOn =
  (pool: Pool): SqlQuery =>
  async (text, params) => {
    const [result] = await pool.execute<RowDataPacket[] | ResultSetHeader>(
      text,
      params as (string | number)[],
    );
    return Array.isArray(result)
      ? { rows: result, rowCount: result.length }
      : { rows: [], rowCount: result.affectedRows };
  };

describeWithMariadb('SqlUserTokenStore on a real MariaDB', () => {
  let server: MariadbServer;
  let pool: Pool;
  const pools: Pool[] = [];

  beforeAll(async () => {
    server = await MariadbServer.start();
    pool = newPool();
    await pool.query(userTokenTable('mysql'));
  });
  afterAll(async () => {
    await Promise.all(pools.map((each) => each.end()));
    await server.end();
  });

  function newPool(options: PoolOptions = {}): Pool {
    const made = createPool({ ...server.connection, connectionLimit: 10, ...options });
    pools.push(made);
    return made;
  }

  const storeOn = (on: Pool, table?: string): SqlUserTokenStore =>
    new SqlUserTokenStore({ query: queryOn(on), dialect: 'mysql', ...(table !== undefined && { table }) });

  userTokenStoreConformance(() => storeOn(pool), {
    makeFailingStore: () => storeOn(newPool({ port: 1 })),
  });

  // mysql2 counts matched rows unless it is told not to.
  describe('with a driver that counts changed rows', () => {
    let counting: Pool;
    beforeAll(() => {
      counting = newPool({ flags: ['-FOUND_ROWS'] });
    });
    userTokenStoreConformance(() => storeOn(counting));
  });

  it('creates the table more than once without harm, with keys that differ in case', async () => {
    await pool.query(userTokenTable('mysql'));
    const store = storeOn(pool);
    await store.put('Case', 'upper', null);
    await store.put('case', 'lower', null);
    expect([(await store.get('Case'))?.value, (await store.get('case'))?.value]).toEqual(['upper', 'lower']);
  });

  it('says which table is missing', async () => {
    await expect(storeOn(pool, 'nothing').put('key', 'value', null)).rejects.toMatchObject({
      message: expect.stringContaining(
        "Create it with the statement that userTokenTable('mysql', 'nothing')",
      ),
      code: 'ER_NO_SUCH_TABLE',
    });
  });
});
