import { type FeishuDomain } from 'nestjs-feishu-auth';

/** A real app of Feishu or Lark. */
export interface Credentials {
  appId: string;
  appSecret: string;
  domain: FeishuDomain;
}

export interface Environment {
  /** Without credentials the sample uses the emulator. */
  credentials?: Credentials;
  port: number;
}

const DEFAULT_PORT = 3_000;

/** @throws Error that names the wrong variable, without its value */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const {
    FEISHU_APP_ID: appId = '',
    FEISHU_APP_SECRET: appSecret = '',
    FEISHU_DOMAIN: domain = '',
    PORT = '',
  } = variables;
  const port = PORT === '' ? DEFAULT_PORT : Number(PORT);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new Error('PORT must be a number from 0 to 65535.');
  }
  if (appId === '' && appSecret === '') return { port };
  if (appId === '' || appSecret === '') {
    throw new Error(
      'Set both FEISHU_APP_ID and FEISHU_APP_SECRET to use a real app, or neither to use the emulator.',
    );
  }
  return { port, credentials: { appId, appSecret, domain: domainFrom(domain) } };
}

/** `feishu`, `lark`, or the origin of a private deployment. */
function domainFrom(value: string): FeishuDomain {
  if (value === '' || value === 'feishu') return 'feishu';
  if (value === 'lark') return 'lark';
  if (URL.canParse(value)) return { open: value, accounts: value };
  throw new Error('FEISHU_DOMAIN must be feishu (the default) or lark.');
}
