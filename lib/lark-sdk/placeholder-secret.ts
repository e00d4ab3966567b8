/** What the SDK holds for a secret unless it is given the real one: it insists on one, and needs none for our tokens. */
export const PLACEHOLDER_SECRET = 'kept-by-nestjs-feishu-auth';
