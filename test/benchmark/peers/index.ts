import { BENTOCACHE } from './bentocache.js';
import { CACHE_MANAGER } from './cache-manager.js';
import { GOOGLE_AUTH } from './google-auth.js';
import { LARK_SDK } from './lark-sdk.js';
import { type Peer } from './peer.js';

/** What a user would pick instead. */
export const PEERS: readonly Peer[] = [GOOGLE_AUTH, CACHE_MANAGER, BENTOCACHE, LARK_SDK];
