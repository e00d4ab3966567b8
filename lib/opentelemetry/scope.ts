/** The instrumentation scope of everything that this package reports. */
export const SCOPE_NAME = 'nestjs-feishu-auth';
