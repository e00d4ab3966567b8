export { type SqlQuery, SqlUserTokenStore, type SqlUserTokenStoreOptions } from './sql-user-token-store.js';
export { type SqlDialect } from './sql-dialect.js';
export { userTokenTable } from './user-token-table.js';
