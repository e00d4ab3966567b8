import { type FeishuDomain } from 'nestjs-feishu-auth';

/** What one replica is told: the same for all of them. */
export interface Environment {
  appId: string;
  appSecret: string;
  domain: FeishuDomain;
  redisUrl: string;
}

/** @throws Error that says which variable is missing */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const required = (name: string): string => {
    const value = variables[name];
    if (value === undefined || value === '') throw new Error(`${name} must be set.`);
    return value;
  };
  return {
    appId: required('FEISHU_APP_ID'),
    appSecret: required('FEISHU_APP_SECRET'),
    domain: domainFrom(variables['FEISHU_DOMAIN'] ?? 'feishu'),
    redisUrl: required('REDIS_URL'),
  };
}

/** `feishu`, `lark`, or the origin of an emulator. */
function domainFrom(value: string): FeishuDomain {
  return value === 'feishu' || value === 'lark' ? value : { open: value, accounts: value };
}
