/** The SDK requires a secret, but with the module's tokens it does not use it. */
export const PLACEHOLDER_SECRET = 'kept-by-nestjs-feishu-auth';
